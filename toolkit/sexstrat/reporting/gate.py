"""Refuse to write for people what did not pass the disclosure gate."""

from __future__ import annotations

from sexstrat.errors import DisclosureError

__all__ = ["must_be_released"]


def must_be_released(results: object) -> None:
    """Do nothing for released results, and refuse anything else.

    Parameters
    ----------
    results : what somebody wants to write.

    Raises
    ------
    DisclosureError : it is not what the disclosure gate returns.

    Examples
    --------
    >>> must_be_released("numbers")
    Traceback (most recent call last):
    sexstrat.errors.DisclosureError: only released results are written for people; found str. ...
    """
    from sexstrat.disclosure import Released

    if not isinstance(results, Released):
        raise DisclosureError(
            f"only released results are written for people; found {type(results).__name__}. "
            "Pass the results through sexstrat.disclosure.release first"
        )
