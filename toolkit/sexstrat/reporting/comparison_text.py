"""The comparison as a Markdown table: one line a network, and what the figures do and do not say."""

from __future__ import annotations

import math

import pandas as pd

from sexstrat.models import BACKBONES

__all__ = ["comparison_markdown"]

_COLUMNS = (
    "network",
    "start",
    "trained",
    "AUC, patients",
    "AUC, photographs",
    "right, patients",
    "right, photographs",
    "AUC minus the best",
    "calibration in the large",
    "calibration slope",
    "MB",
    "million parameters",
    "images/s",
    "training, min",
)
_NUMERIC = 3  # columns before the first number


def comparison_markdown(table: pd.DataFrame) -> str:
    r"""Return the comparison as Markdown, the highest AUC first.

    Parameters
    ----------
    table : the ``comparison`` table.

    Returns
    -------
    A paragraph, the table, and the notes of its rows.

    Examples
    --------
    >>> from sexstrat.values.tables import table_schema
    >>> comparison_markdown(pd.DataFrame(columns=table_schema("comparison").columns))
    'No network is finished yet.\n'
    """
    if table.empty:
        return "No network is finished yet.\n"
    ordered = table.sort_values("auc_patient", ascending=False, na_position="last")
    first = ordered.iloc[0]
    lines = [
        f"{len(ordered)} networks, trained by one recipe and measured on the same {first['n_patients']:,} "
        f"people ({first['n_men']:,} men, {first['n_women']:,} women; {first['n_images']:,} photographs), whom none "
        "of them saw. "
        f"Every interval is at {100 * first['level']:.0f}% and counts people, not photographs. Differences are to "
        f"{first['compared_with']}, the best on these very people, which flatters it. Speed is that of the machine "
        "named below, other work included. The intervals are of the people measured: another seed would train another "
        "network.",
        "",
        "| " + " | ".join(_COLUMNS) + " |",
        "|" + "|".join([" --- "] * _NUMERIC + [" ---: "] * (len(_COLUMNS) - _NUMERIC)) + "|",
    ]
    lines += ["| " + " | ".join(_cells(row)) + " |" for _, row in ordered.iterrows()]
    told = [(one, row["network"]) for _, row in ordered.iterrows() for one in str(row["note"] or "").split("; ") if one]
    told += [
        (f"measured on {machine}; {runtime}", name)
        for machine, runtime, name in zip(ordered["machine"], ordered["runtime"], ordered["network"], strict=True)
    ]
    return "\n".join([*lines, "", *_notes(told)]) + "\n"


def _notes(told: list[tuple[str, str]]) -> list[str]:
    """Return one line a note, with all networks it is about."""
    about: dict[str, list[str]] = {}
    for note, network in told:
        about.setdefault(note, []).append(network)
    return [f"- {', '.join(networks)}: {note}." for note, networks in about.items()]


def _cells(row: pd.Series) -> list[str]:
    start = "random" if row["start"] == "random" else f"weights {str(row['start_sha256'])[:12]}"
    plain = BACKBONES[row["backbone"]].builder if row["backbone"] in BACKBONES else str(row["backbone"])
    best = row["network"] == row["compared_with"]
    return [
        plain,
        start,
        f"{row['phases']}, epoch {row['kept_epoch']} kept",
        *(_interval(row, name, 3) for name in ("auc_patient", "auc_image", "accuracy_patient", "accuracy_image")),
        "the best" if best else _interval(row, "auc_difference", 3),
        _interval(row, "calibration_in_the_large", 2),
        _interval(row, "calibration_slope", 2),
        f"{row['file_bytes'] / 1e6:.1f}",
        f"{row['parameters'] / 1e6:.1f}",
        f"{row['images_per_second']:,.0f}",
        f"{row['train_seconds'] / 60:.1f}",
    ]


def _interval(row: pd.Series, name: str, digits: int) -> str:
    if math.isnan(row[name]):
        return "undefined"
    point, low, high = (f"{float(row[name + ending]):.{digits}f}" for ending in ("", "_low", "_high"))
    return f"{point} ({low} to {high})".replace("-", "\N{MINUS SIGN}")
