"""Shares of men of several sites as one: a stratified sample whose strata are the sites."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sexstrat.errors import EstimationError
from sexstrat.estimates.composition import Composition, Margin

__all__ = ["stratified"]

Array = NDArray[np.float64]
POOLED = (
    "Sites are strata, each with its own shares of men; what each site assumes holds there, and sites are independent. "
    "What small samples bias at each site alike does not average out over sites."
)
SUMMED = ("n", "n_variance", "n_patients", "n_validated")


def stratified(parts: Mapping[str, Composition], *, estimator: str = "pooled") -> Composition:
    """Return the composition of all sites together.

    pi = sum N_s pi_s / sum N_s in every cell, V = sum over sites of D V_s D with D = diag(N_s / N); counts add up. The
    degrees of freedom of a cell follow Satterthwaite over its sites. Assumes that sites share no patient.

    Parameters
    ----------
    parts : composition of each site by name: one condition, the same bands, target and level.
    estimator : name the result carries.

    Returns
    -------
    The composition: state ``corrected`` where every site's is, else ``model_based`` or weaker; a cell in which a site
    with patients has no share is refused, for all that is known of it is partial.

    Raises
    ------
    EstimationError : no site, or sites that do not ask the same question.

    References
    ----------
    Cochran 1977, Sampling Techniques, 3rd ed., section 5.3. Satterthwaite 1946, Biometrics Bull 2:110.

    Examples
    --------
    Twice the same site: the same shares, half the variance, twice the people.

    >>> from sexstrat.estimates.compose import compose
    >>> from sexstrat.estimates.worked_example import worked_bands, worked_cells
    >>> one = compose(worked_cells(), bands=worked_bands(), design="random", method="E1")
    >>> both = stratified({"a": one, "b": one})
    >>> bool(np.allclose(both.pi, one.pi)), round(float(both.covariance[0, 0] / one.covariance[0, 0]), 9)
    (True, 0.5)
    """
    sites = list(parts.values())
    _same_question(parts)
    first = sites[0]
    by_band = _margin([one.by_band for one in sites])
    overall = _margin([one.overall for one in sites])
    states = [_weakest([one.band_state[band] for one in _with_people(sites, band)]) for band in range(len(first.bands))]
    state = _weakest([one.state for one in sites])
    return Composition(
        condition=first.condition,
        bands=first.bands,
        estimator=estimator,
        target=first.target,
        by_band=by_band,
        overall=overall,
        band_state=tuple(states),
        state=state,
        why=f"Sites pooled as strata: {', '.join(f'{name} ({one.estimator})' for name, one in parts.items())}.",
        assumptions=(POOLED, *dict.fromkeys(text for one in sites for text in one.assumptions)),
        warnings=tuple(f"{name}: {text}" for name, one in parts.items() for text in one.warnings),
        diagnostics=_diagnostics(by_band),
        level=first.level,
    )


def _same_question(parts: Mapping[str, Composition]) -> None:
    if not parts:
        raise EstimationError("no site to pool")
    asked = {name: (one.condition, one.bands, one.target, one.level) for name, one in parts.items()}
    (first, wanted), *others = asked.items()
    for name, found in others:
        if found != wanted:
            raise EstimationError(
                f"sites {first} and {name} do not ask the same question: condition, age bands, target and level are "
                f"{_told(wanted)} against {_told(found)}"
            )


def _told(asked: tuple[Any, ...]) -> str:
    condition, bands, target, level = asked
    return f"{condition}, {' '.join(bands.labels)}, {target}, {level:g}"


def _with_people(sites: Sequence[Composition], band: int) -> list[Composition]:
    """Return the sites that have patients in a band; all of them where none has."""
    return [one for one in sites if one.n_patients[band].sum() > 0] or list(sites)


ORDER = ("truth", "recorded", "corrected", "model_based", "assumption", "naive", "refused")


def _weakest(states: Sequence[str]) -> str:
    return max(states, key=lambda state: ORDER.index(state) if state in ORDER else len(ORDER))


def _margin(margins: Sequence[Margin]) -> Margin:
    totals = {name: np.sum([getattr(one, name) for one in margins], axis=0) for name in SUMMED}
    n = totals["n"]
    shares = [np.divide(one.n, n, out=np.zeros_like(n), where=n > 0) for one in margins]
    pi = np.sum([_product(share, one.pi) for share, one in zip(shares, margins, strict=True)], axis=0)
    along = [np.outer(share.ravel(), share.ravel()) for share in shares]
    imputed = all(one.within is not None for one in margins)
    fields: dict[str, Any] = {"covariance": [one.covariance for one in margins]}
    if imputed:
        fields |= {name: [getattr(one, name) for one in margins] for name in ("within", "between")}
    summed = {
        name: np.sum([_product(d, part) for d, part in zip(along, values, strict=True)], axis=0)
        for name, values in fields.items()
    }
    effective = np.sum([one.effective_validated for one in margins], axis=0)
    return Margin(
        **totals,
        effective_validated=effective,
        pi=np.where(n > 0, pi, np.nan),
        imputations=min(one.imputations for one in margins) if imputed else 0.0,
        variance_df=_degrees_of_freedom(margins, shares),
        sampled=margins[0].sampled,
        counted=all(one.counted for one in margins),
        **summed,
    )


def _product(weight: Array, value: Array) -> Array:
    """Return weight times value, 0 where a site has no weight; a weighed value that is missing stays missing."""
    return np.where(weight > 0, weight * np.where(weight > 0, value, 0.0), 0.0)


def _degrees_of_freedom(margins: Sequence[Margin], shares: Sequence[Array]) -> Array:
    """Return Satterthwaite's degrees of freedom of each cell's variance over its sites."""
    top, bottom = np.zeros_like(shares[0]), np.zeros_like(shares[0])
    for one, share in zip(margins, shares, strict=True):
        variance = _product(share**2, np.diag(one.covariance).reshape(share.shape))
        df = one.effective_validated - 1 if one.variance_df is None else one.variance_df
        top += variance
        bottom += np.divide(variance**2, df, out=np.zeros_like(variance), where=df > 0)
    return np.divide(top**2, bottom, out=np.full_like(top, 1.0), where=bottom > 0)


def _diagnostics(by_band: Margin) -> dict[str, float]:
    patients, validated = by_band.n_patients.sum(axis=0), by_band.n_validated.sum(axis=0)
    return {
        "n_patients": int(patients.sum()),
        "n_diseased": int(patients[1]),
        "n_validated": int(validated.sum()),
        "n_validated_diseased": int(validated[1]),
    }
