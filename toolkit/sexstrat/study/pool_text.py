"""The pooled analysis in the lines of a terminal: crude prevalence ratio by site, pooled, and how much sites differ."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

if TYPE_CHECKING:
    from sexstrat.study.site_pooling import PooledFiles

__all__ = ["pool_rows"]

HEADER = ("site", "ratio", "interval", "without it")
Table = tuple[str, list[str], list[list[str]]]


def pool_rows(found: PooledFiles) -> list[Table]:
    """Return one table a condition: title, header, rows.

    Parameters
    ----------
    found : the pooled analysis.

    Returns
    -------
    Prevalence ratio, men over women, all ages, crude: each site, all sites, the mean of sites and a new site.
    """
    return [_table(found, condition) for condition in sorted(found.pool.compositions)]


def _table(found: PooledFiles, condition: str) -> Table:
    tables = found.tables
    alone, without = (_chosen(tables[name], condition).set_index("site") for name in ("by_site", "without_site"))
    rows = [
        [name, *_number(alone.loc[name]), _number(without.loc[name])[0] if name in without.index else "-"]
        for name in alone.index
    ]
    rows.append(["all sites", *_number(_chosen(tables["estimates"], condition).iloc[0]), ""])
    mean = _chosen(tables["heterogeneity"], condition).iloc[0]
    rows.append(["mean of sites", *_number(mean), ""])
    if mean["state"] == "measured":
        low, high = mean["prediction_low"], mean["prediction_high"]
        rows.append(["a new site", "", f"{low:.3f} to {high:.3f}", ""])
        spread = (
            f"; I2 {100 * mean['i2']:.0f} %, tau2 {mean['tau2']:.4f}, test of no difference p = {mean['p_value']:.3f}"
        )
    else:
        spread = f"; {mean['note']}"
    return f"{condition}: prevalence ratio, men over women, all ages{spread}", list(HEADER), rows


def _chosen(frame: pd.DataFrame, condition: str) -> pd.DataFrame:
    wanted = (frame["measure"] == "prevalence_ratio") & (frame["condition"] == condition)
    return frame[wanted & frame["age_low"].isna() & (frame["standard"] == "crude")]


def _number(row: Any) -> list[str]:
    if pd.isna(row["point"]):
        return [str(row["state"]), ""]
    if pd.isna(row["low"]):
        return [f"{row['point']:.3f}", "no interval"]
    return [f"{row['point']:.3f}", f"{row['low']:.3f} to {row['high']:.3f}"]
