"""Whether the score says the same of a man, and of a woman, in a cohort as where its errors were learned."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import chi2

from sexstrat.errors import EstimationError
from sexstrat.estimates.cell_arrays import CellArrays
from sexstrat.estimates.diagnosis.mixture_fit import fit_mixture
from sexstrat.estimates.diagnosis.transport_groups import FEWEST_OF_A_SEX, ScoreGroup, score_groups

__all__ = ["TransportTest", "transport_test"]

ASSUMPTIONS = (
    "Patients are independent. Within a group, men and women of the cohort are alike in age and in the number of "
    "eyes. A difference that some other share of men would explain as well is not seen.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TransportTest:
    """Result of the transport test.

    Parameters
    ----------
    state : ok; too_few where no group has enough known men and women, and there is no p-value.
    deviance, df : lack of fit of the mixture over all groups.
    p_value : its chi-square tail; None without a test.
    alpha : size of the test.
    n_cohort, n_external : patients with a score that the test uses.
    n_untested : patients of the cohort with a score, of ages or a disease state that the external sample lacks.
    rows : one mapping a group.
    note : what the reader must know.

    Examples
    --------
    >>> fields = dict(df=3, alpha=0.05, n_cohort=900, n_external=200, n_untested=0, rows=(), note="")
    >>> one = TransportTest(state="ok", deviance=9.0, p_value=0.029, **fields)
    >>> one.rejects, one.passes
    (True, False)
    >>> none = TransportTest(state="too_few", deviance=0.0, p_value=None, **fields)
    >>> none.rejects, none.passes
    (False, False)
    """

    state: str
    deviance: float
    df: int
    p_value: float | None
    alpha: float
    n_cohort: int
    n_external: int
    n_untested: int
    rows: tuple[dict[str, Any], ...]
    note: str

    @property
    def rejects(self) -> bool:
        """The score behaves differently here and there: nothing learned there may be applied here."""
        return self.p_value is not None and self.p_value < self.alpha

    @property
    def passes(self) -> bool:
        """The test could be made and does not reject; a test that could not be made does not pass."""
        return self.p_value is not None and not self.rejects

    def to_frame(self) -> pd.DataFrame:
        """Return one row for all groups together, then one for each: disease, ages, people, pi, deviance, p-value."""
        total = {
            "n_cohort": self.n_cohort,
            "n_external": self.n_external,
            "deviance": self.deviance if self.p_value is not None else None,
            "df": self.df,
            "p_value": self.p_value,
            "state": self.state,
            "note": self.note or None,
        }
        columns = ["diseased", "age_low", "age_high", "n_cohort", "n_external", "n_external_men", "n_external_women"]
        columns += ["male_share", "deviance", "df", "p_value", "largest_gap", "state", "note"]
        frame = pd.DataFrame([total, *self.rows], columns=columns)
        counts = [name for name in columns if name.startswith(("n_", "age_")) or name == "df"]
        numbers = ["male_share", "deviance", "p_value", "largest_gap"]
        types: dict[str, str] = {**dict.fromkeys(counts, "Int64"), **dict.fromkeys(numbers, "float64")}
        return frame.astype({**types, "diseased": "boolean"})


def _row(group: ScoreGroup, pi: float, deviance: float, df: float, gap: float) -> dict[str, Any]:
    return {
        "diseased": group.diseased,
        "age_low": group.age_low,
        "age_high": group.age_high,
        "n_cohort": group.n_cohort,
        "n_external": group.n_men + group.n_women,
        "n_external_men": group.n_men,
        "n_external_women": group.n_women,
        "male_share": pi,
        "deviance": deviance if df > 0 else None,
        "df": int(df),
        "p_value": float(chi2.sf(deviance, df)) if df > 0 else None,
        "largest_gap": gap,
        "state": "ok" if df > 0 else "undefined",
        "note": group.note or (None if df > 0 else "the scores take fewer than three values, so any mixture fits"),
    }


def transport_test(cohort: CellArrays, external: CellArrays, *, alpha: float = 0.05) -> TransportTest:
    """Test whether P(score | sex, disease, age) is the same in the cohort as in an external sample.

    Nobody's sex need be known in the cohort. In each disease state and range of ages the cohort's score distribution
    over quantile bins must be a mixture pi f1 + (1 - pi) f0 of the external men's and women's; whatever the share of
    men pi is, and it may be any in each group (label shift is allowed), three multinomial samples are fitted together,
    so that the external sample's error counts. External people are first weighted to the cohort's age, age^2 and
    single eyes within the group. The deviances of the groups add up to a chi-square. The densities are the bins' own,
    not those of a logistic model, so that a wrong model form cannot hide or feign a difference.

    It assumes independent patients, and within a group men and women of the cohort alike in age and number of eyes.
    Passing is no proof: a difference that another share of men explains as well leaves no trace in the scores.

    Parameters
    ----------
    cohort : cells of the cohort; every patient with a score counts, of known sex or not.
    external : cells of the labelled sample, of the same model; those of unknown sex are not looked at.
    alpha : size of the test.

    Returns
    -------
    The test over all groups, with one row a group to see where the score behaves differently.

    Raises
    ------
    EstimationError : alpha is not between 0 and 1.

    References
    ----------
    Hosmer DW. Biometrics 1973;29:761-770. Hainmueller J. Polit Anal 2012;20:25-46.
    Saerens M, Latinne P, Decaestecker C. Neural Comput 2002;14:21-41 (label shift).

    Examples
    --------
    The worked example has two values of the score, and two points lie on some mixture always: nothing to test.

    >>> from sexstrat.estimates.worked_example import worked_arrays
    >>> found = transport_test(worked_arrays(), worked_arrays())
    >>> found.state, found.passes, found.to_frame()["state"].tolist()[1:]
    ('undefined', False, ['undefined', 'undefined'])
    """
    if not 0 < alpha < 1:
        raise EstimationError(f"the size of the test must lie between 0 and 1; found {alpha}")
    groups = score_groups(cohort, external)
    scored = round(cohort.n[cohort.n_eyes > 0].sum())
    used = sum(group.n_cohort for group in groups)
    common: dict[str, Any] = {
        "alpha": alpha,
        "n_cohort": used,
        "n_external": sum(group.n_men + group.n_women for group in groups),
        "n_untested": scored - used,
    }
    if not groups:
        note = f"no disease state has {FEWEST_OF_A_SEX} known men and as many known women with a score"
        return TransportTest(state="too_few", deviance=0.0, df=0, p_value=None, rows=(), note=note, **common)
    fit = fit_mixture(*(np.array([getattr(one, name) for one in groups]) for name in ("mixed", "men", "women")))
    observed = np.array([one.mixed / one.mixed.sum() for one in groups])
    gaps = np.abs(observed - fit.mixed).max(axis=1)
    rows = [_row(*parts) for parts in zip(groups, fit.pi, fit.deviance, fit.df, gaps, strict=True)]
    deviance, df = float(fit.deviance[fit.df > 0].sum()), int(fit.df.sum())
    note = (
        f"{scored - used} patients have ages or a disease state that the external sample lacks" if scored > used else ""
    )
    if df == 0:
        return TransportTest(
            state="undefined", deviance=0.0, df=0, p_value=None, rows=tuple(rows), note="nothing to test", **common
        )
    p_value = float(chi2.sf(deviance, df))
    return TransportTest(state="ok", deviance=deviance, df=df, p_value=p_value, rows=tuple(rows), note=note, **common)
