"""Groups of patients with equal covariates, and the covariates, of a regression of disease on sex, age and site."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sexstrat.errors import EstimationError
from sexstrat.estimates.compose_input import ComposeInput
from sexstrat.estimates.regression.imputed_counts import Men, group_sums
from sexstrat.estimates.regression.robust_variance import Counts

__all__ = ["AGES", "CLUSTERS", "RegressionDesign", "regression_design"]

Array = NDArray[np.float64]
Codes = NDArray[np.int64]

AGES = ("linear", "quadratic", "bands")
CLUSTERS = ("patient", "site", "psu")
CENTRE_AGE = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RegressionDesign:
    """A regression's rows: the men of each group of patients, then the women.

    Parameters
    ----------
    x : covariates, shape (2 groups, k): intercept, male, age, site.
    names : name of each coefficient.
    terms : coefficients that are reported; intercept and sites are not.
    group : 2 x group + disease of each row of the cells, -1 where it takes no part.
    weight, squares : sums of weights and of squared weights by group and disease, shape (2 groups,).
    cluster : cluster of each row of x, or None when each patient is one.
    n_clusters : how many independent units there are.
    n_patients, n_diseased, n_validated, n_validated_diseased : patients that take part.
    warnings : what was left out, sentences.
    """

    x: Array
    names: tuple[str, ...]
    terms: Codes
    group: Codes
    weight: Array
    squares: Array
    cluster: Codes | None
    n_clusters: int
    n_patients: float
    n_diseased: float
    n_validated: float
    n_validated_diseased: float
    warnings: tuple[str, ...]

    @property
    def size(self) -> int:
        """Number of groups by disease."""
        return self.weight.size

    def counts(self, men: Men) -> Counts:
        """Return cases and people, men then women, given who is a man."""
        women = Men(weight=self.weight - men.weight, squares=self.squares - men.squares)
        cases = np.concatenate([one.weight[1::2] for one in (men, women)])
        well = np.concatenate([one.weight[0::2] for one in (men, women)])
        return Counts(
            cases=cases,
            people=cases + well,
            case_squares=np.concatenate([one.squares[1::2] for one in (men, women)]),
            well_squares=np.concatenate([one.squares[0::2] for one in (men, women)]),
            patients=self.n_patients,
        )


def _without_contrast(codes: Codes, given: ComposeInput, link: str) -> Codes:
    """Return the levels of a factor in which nobody (or, for the odds, everybody) is diseased.

    Their own coefficient is infinite, so that their patients say nothing about the other coefficients.
    """
    arrays = given.arrays
    people = np.bincount(codes, weights=arrays.w)
    cases = np.bincount(codes, weights=arrays.w * arrays.diseased)
    empty = (people > 0) & ((cases <= 0) | ((cases >= people) if link == "logistic" else False))
    return np.asarray(np.flatnonzero(empty), dtype=np.int64)


def _rows_with_contrast(
    given: ComposeInput, factors: dict[str, Codes], link: str
) -> tuple[NDArray[np.bool_], tuple[str, ...]]:
    """Return the rows of the cells that take part, and sentences on those that do not."""
    arrays = given.arrays
    used, warnings = np.ones(arrays.n.size, dtype=bool), list[str]()
    for name, codes in factors.items():
        gone = _without_contrast(codes, given, link)
        out = np.isin(codes, gone) & used
        if out.any() and np.unique(codes).size > 1:
            warnings.append(
                f"{gone.size} of {np.unique(codes).size} {name}s have no diseased patient (or no other): their "
                f"{int(arrays.n[out].sum())} patients say nothing about the comparison and are left out."
            )
            used &= ~out
    return used, tuple(warnings)


def _clusters(given: ComposeInput, cluster: str) -> Codes | None:
    """Return the cluster of each row of the cells, or None when each patient is one."""
    arrays = given.arrays
    if cluster == "patient":
        return None
    if cluster == "site":
        return np.asarray(arrays.site, dtype=np.int64)
    if (arrays.psu < 0).any():
        raise EstimationError(
            "clusters are to be the primary sampling units, but some patients have no psu; give it for all of them, "
            "or cluster by site or patient"
        )
    return np.asarray(
        np.unique(np.column_stack([arrays.stratum, arrays.psu]), axis=0, return_inverse=True)[1].ravel(), dtype=np.int64
    )


def _age_columns(age: Array, band: Codes, labels: tuple[str, ...], how: str) -> dict[str, Array]:
    decades = (age - CENTRE_AGE) / 10
    if how == "linear":
        return {"age_per_decade": decades}
    if how == "quadratic":
        return {"age_per_decade": decades, "age_per_decade_squared": decades**2}
    present = np.unique(band)
    return {f"age_{labels[level]}": (band == level).astype(float) for level in present[1:]}


def regression_design(
    given: ComposeInput, *, link: str, age: str = "linear", cluster: str = "patient"
) -> RegressionDesign:
    """Return the groups and covariates of a regression of disease on sex, age and, with several of them, site.

    Parameters
    ----------
    given : the input.
    link : logistic or poisson.
    age : linear (decades), quadratic, or bands (indicators of the declared bands).
    cluster : patient, site or psu.

    Raises
    ------
    EstimationError : unknown word for age or cluster; psu asked for but absent.

    Examples
    --------
    Two ages, so two groups, each of men and of women.

    >>> from sexstrat.estimates.worked_example import worked_input
    >>> one = regression_design(worked_input(), link="poisson")
    >>> one.names, one.x.tolist()
    (('intercept', 'male', 'age_per_decade'), [[1.0, 1.0, -1.5], [1.0, 1.0, 0.5], [1.0, 0.0, -1.5], [1.0, 0.0, 0.5]])
    >>> one.weight.tolist()
    [400.0, 150.0, 400.0, 150.0]
    """
    for name, value, allowed in (("age", age, AGES), ("cluster", cluster, CLUSTERS)):
        if value not in allowed:
            raise EstimationError(f"{name} must be one of {', '.join(allowed)}; found {value!r}")
    arrays, band = given.arrays, given.arrays.group // 2
    used, warnings = _rows_with_contrast(
        given, {"site": arrays.site, **({"age band": band} if age == "bands" else {})}, link
    )
    clusters = _clusters(given, cluster)
    keys = [arrays.site, band if age == "bands" else arrays.age_years, *([] if clusters is None else [clusters])]
    table, inverse = np.unique(np.column_stack(keys)[used], axis=0, return_inverse=True)
    group = np.full(arrays.n.size, -1, dtype=np.int64)
    group[used] = 2 * inverse.ravel() + arrays.diseased[used]
    sites = np.unique(table[:, 0])
    columns = _age_columns(table[:, 1].astype(float), table[:, 1].astype(np.int64), given.bands.labels, age)
    reported = len(columns)
    columns |= {f"site_{int(code)}": (table[:, 0] == code).astype(float) for code in sites[1:]}
    shared = np.column_stack([np.ones(len(table)), np.zeros(len(table)), *columns.values()])
    men = shared.copy()
    men[:, 1] = 1.0
    own = None if clusters is None else np.unique(table[:, 2], return_inverse=True)[1].ravel().astype(np.int64)
    weight, squares = (group_sums(group[used], one[used], 2 * len(table)) for one in (arrays.w, arrays.w2))
    sums = [
        arrays.n[used & rows].sum()
        for rows in (True, arrays.diseased == 1, arrays.validated, arrays.validated & (arrays.diseased == 1))
    ]
    return RegressionDesign(
        x=np.vstack([men, shared]),
        names=("intercept", "male", *columns),
        terms=np.arange(1, 2 + reported),
        group=group,
        weight=weight,
        squares=squares,
        cluster=None if own is None else np.tile(own, 2),
        n_clusters=int(sums[0]) if own is None else int(own.max(initial=-1)) + 1,
        n_patients=float(sums[0]),
        n_diseased=float(sums[1]),
        n_validated=float(sums[2]),
        n_validated_diseased=float(sums[3]),
        warnings=warnings,
    )
