"""Rates by group from aequitas, on a table made here.

Run with aequitas installed: python tests/reference/scripts/audit_aequitas.py
"""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd
from aequitas.group import Group

RATES = ["tpr", "tnr", "fpr", "fnr", "precision", "npv", "for", "fdr", "pprev", "prev", "accuracy"]


def main() -> None:
    """Write the table and the rates of each site."""
    rng = np.random.default_rng(20_261_125)
    n = 600
    male = (rng.random(n) < 0.48).astype(int)
    site = rng.choice(["a", "b", "c", "d"], n, p=[0.5, 0.3, 0.18, 0.02])
    site[:5], male[:5] = "e", 0  # five women and no man: nothing is known of men there
    prob = np.round(1 / (1 + np.exp(-(1.6 * (male - 0.5) + rng.normal(size=n)))), 3)
    called = (prob >= 0.5).astype(int)
    frame = pd.DataFrame({"score": called, "label_value": male, "site": site})
    table, _ = Group().get_crosstabs(frame, attr_cols=["site"])
    rates = table.set_index("attribute_value")[[name for name in RATES if name in table.columns]]
    found = {
        "made_by": f"aequitas {version('aequitas')}",
        "prob": prob.tolist(),
        "male": male.tolist(),
        "site": site.tolist(),
        "rates": json.loads(rates.to_json(orient="index", double_precision=15)),
    }
    path = Path(__file__).parents[1] / "outputs" / "audit_aequitas.json"
    path.write_text(json.dumps(found) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
