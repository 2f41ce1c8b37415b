"""How many imputations a pooled estimate needs, by three rules."""

from __future__ import annotations

from math import ceil, inf

from sexstrat.errors import EstimationError

__all__ = ["imputations_needed", "von_hippel", "white_royston_wood"]

ROUNDING = 1e-9  # a quotient that is whole but for rounding is taken as whole


def _whole(m: float) -> int:
    return max(ceil(m - ROUNDING), 2)


def _share(name: str, value: float) -> float:
    if not 0 < value < inf:
        raise EstimationError(f"{name} must lie above 0; found {value}")
    return value


def imputations_needed(between: float, total: float, share: float = 0.05) -> int:
    """Return the fewest imputations whose Monte Carlo error, sqrt(B / m), is at most a share of the standard error.

    m = B / (share^2 T). Since B never exceeds T, 1 / share^2 imputations (400 for 5 %) are enough for every measure.

    Parameters
    ----------
    between : B, variance of the estimate over imputations.
    total : T, its total variance.
    share : largest Monte Carlo error, as a share of sqrt(T).

    Returns
    -------
    At least 2, the fewest from which B can be estimated.

    Raises
    ------
    EstimationError : variances negative, B above T, or a share not above 0.

    References
    ----------
    Rubin DB. Multiple Imputation for Nonresponse in Surveys. Wiley 1987, section 4.2.

    Examples
    --------
    85 % of the variance is between imputations: .85 / .05^2.

    >>> imputations_needed(0.85, 1.0)
    340
    >>> imputations_needed(1.0, 1.0)
    400
    """
    if not (0 <= between <= total < inf and total > 0):
        raise EstimationError(f"need 0 <= between <= total and total above 0; found between {between}, total {total}")
    return _whole(between / total / _share("the largest Monte Carlo error", share) ** 2)


def _fmi(value: float) -> float:
    if not 0 <= value <= 1:
        raise EstimationError(f"a fraction of missing information lies between 0 and 1; found {value}")
    return value


def white_royston_wood(fmi: float) -> int:
    """Return the rule of thumb of at least one imputation for each percent of missing information: m = 100 fmi.

    Parameters
    ----------
    fmi : fraction of missing information, 0 to 1.

    Returns
    -------
    At least 2. Monte Carlo error is then about a tenth of the standard error: twice what :func:`imputations_needed`
    allows.

    Raises
    ------
    EstimationError : fmi outside 0 to 1.

    References
    ----------
    White IR, Royston P, Wood AM. Stat Med 2011;30:377-399 (section 7.3).

    Examples
    --------
    >>> white_royston_wood(0.85)
    85
    """
    return _whole(100 * _fmi(fmi))


def von_hippel(fmi: float, *, variation: float = 0.05) -> int:
    """Return the imputations after which another run's standard error differs little: m = 1 + (fmi / variation)^2 / 2.

    Parameters
    ----------
    fmi : fraction of missing information, 0 to 1.
    variation : largest coefficient of variation of the standard error over runs.

    Returns
    -------
    At least 2.

    Raises
    ------
    EstimationError : fmi outside 0 to 1, or a variation not above 0.

    References
    ----------
    von Hippel PT. Sociol Methods Res 2020;49:699-718 (equation 2).

    Examples
    --------
    1 + (.5 / .05)^2 / 2.

    >>> von_hippel(0.5)
    51
    """
    return _whole(1 + (_fmi(fmi) / _share("the coefficient of variation", variation)) ** 2 / 2)
