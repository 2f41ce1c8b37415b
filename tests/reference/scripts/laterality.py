"""Fit and check the inference of the eye on photographs whose eye is known; prints and writes the figures.

Usage: python laterality.py FOLDER, where FOLDER holds odir5k/ and heimed/ with their tables. Patients of ODIR-5K
fall into two halves by SHA-256 of their id; the weights are fitted on the first half, and the threshold is the
smallest confidence at which the 95 % one-sided lower limit (Wilson) of accuracy there is at least 99 %. What is
used is that, rounded up. HEI-MED is a check of another camera only: its eyes were themselves derived from the disc.
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.optimize import minimize

from sexstrat.errors import ImageError
from sexstrat.images import MINIMUM_CONFIDENCE, disc_evidence, infer_eye, prepare

THRESHOLDS = (0.5, 0.7, 0.8, 0.9, 0.95, 0.97, 0.99)


def measured(folder: Path, name: str) -> pd.DataFrame:
    table = pd.read_csv(folder / name / f"{name}.csv", dtype=str)
    rows = []
    for file, patient, eye in zip(table["file"], table["patient_id"], table["eye"], strict=True):
        if eye not in {"left", "right", "L", "R"}:
            continue
        try:
            pixels = prepare(folder / name / file, 256).pixels
        except ImageError:
            continue
        evidence, place = disc_evidence(pixels) or (0.0, 0.0)
        half = int(hashlib.sha256(patient.encode()).hexdigest(), 16) % 2
        rows.append((patient, half, eye[0].upper() == "R", evidence, place, infer_eye(pixels).confidence))
    return pd.DataFrame(rows, columns=["patient", "half", "right", "evidence", "place", "confidence"])


def fitted(rows: pd.DataFrame) -> list[float]:
    design = rows[["evidence", "place"]].to_numpy()
    sign = np.where(rows["right"], 1.0, -1.0)

    def loss(weights: np.ndarray) -> float:
        return float(np.logaddexp(0, -sign * (design @ weights)).sum())

    return [round(float(w), 3) for w in minimize(loss, np.zeros(2)).x]


def accuracy(rows: pd.DataFrame) -> list[dict[str, float]]:
    correct = ((rows["evidence"] * 1.0) != 0) & (rows["guess"] == rows["right"])
    found = []
    for threshold in THRESHOLDS:
        above = rows["confidence"] >= threshold
        n, k = int(above.sum()), int(correct[above].sum())
        found.append({"confidence": threshold, "coverage": n / len(rows), "n": n, "accuracy": k / n})
    return found


def chosen_threshold(rows: pd.DataFrame) -> float:
    order = rows.sort_values("confidence", ascending=False)
    k, n = (order["guess"] == order["right"]).cumsum().to_numpy(), np.arange(1, len(order) + 1)
    p, z = k / n, 1.6448536269514722
    lower = (p + z * z / (2 * n) - z * np.sqrt(p * (1 - p) / n + z * z / (4 * n * n))) / (1 + z * z / n)
    return float(order["confidence"].to_numpy()[np.flatnonzero(lower >= 0.99)[-1]])


def main(folder: Path, out: Path) -> None:
    odir, heimed = measured(folder, "odir5k"), measured(folder, "heimed")
    weights = fitted(odir[odir["half"] == 0])
    for rows in (odir, heimed):
        rows["guess"] = rows[["evidence", "place"]].to_numpy() @ np.array(weights) > 0
    report = {
        "weights_fitted_on_first_half": weights,
        "threshold_by_rule_on_first_half": round(chosen_threshold(odir[odir["half"] == 0]), 4),
        "threshold_used": MINIMUM_CONFIDENCE,
        "odir5k_first_half": accuracy(odir[odir["half"] == 0]),
        "odir5k_second_half": accuracy(odir[odir["half"] == 1]),
        "heimed": accuracy(heimed),
    }
    out.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    sys.stdout.write(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(__file__).parents[1] / "outputs" / "laterality.json")
