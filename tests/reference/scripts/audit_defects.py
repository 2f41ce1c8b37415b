"""What aequitas, AIF360, dalex and fairmlhealth say where they are known to be wrong, on tables made here.

Run with these four installed: python tests/reference/scripts/audit_defects.py
"""

from __future__ import annotations

import json
import math
import warnings
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

OUTPUTS = Path(__file__).parents[1] / "outputs"


def of_aequitas(table: dict[str, Any]) -> dict[str, dict[str, float]]:
    """Return the p values of each site against site a, for the table of audit_aequitas.json."""
    from aequitas.bias import Bias
    from aequitas.group import Group

    inside = np.isin(table["site"], ["a", "b", "c"])
    called = (np.array(table["prob"]) >= 0.5).astype(int)
    frame = pd.DataFrame({"score": called, "label_value": table["male"], "site": table["site"]})[inside]
    frame = frame.reset_index(drop=True)
    crossed, _ = Group().get_crosstabs(frame, attr_cols=["site"])
    found = Bias().get_disparity_predefined_groups(
        crossed, original_df=frame, ref_groups_dict={"site": "a"}, check_significance=True, mask_significance=False
    )
    columns = [f"{name}_significance" for name in ("tpr", "for", "fpr", "precision")]
    return found.set_index("attribute_value")[columns].astype(float).to_dict(orient="index")


def of_fairmlhealth() -> dict[str, Any]:
    """Return twenty p values of a table in which everybody of one group and nobody of the other has the value."""
    from fairmlhealth.stat_utils import chisquare_pval

    group, value = np.repeat([0, 1], 200), np.repeat([0, 1], 200)
    np.random.seed(1)  # noqa: NPY002 the package draws from the global generator
    frames = pd.Series(group), pd.Series(value)
    return {"p_values": [float(chisquare_pval(*frames, n_sample=None)) for _ in range(20)]}


def opposite_errors() -> pd.DataFrame:
    """Return two sites: of men .9 and .7 are called men, of women .3 and .5, each of 100."""
    rows = []
    for site, men, women in ((1, 90, 30), (0, 70, 50)):
        for male, called in ((1, men), (0, women)):
            rows += [{"site": site, "male": male, "called": int(k < called)} for k in range(100)]
    return pd.DataFrame(rows)


def of_aif360() -> dict[str, float]:
    """Return the average odds difference of two sites whose errors are opposite."""
    from aif360.datasets import BinaryLabelDataset
    from aif360.metrics import ClassificationMetric

    frame = opposite_errors().astype(float)
    given: dict[str, Any] = {"protected_attribute_names": ["site"], "favorable_label": 1, "unfavorable_label": 0}
    true, called = (
        BinaryLabelDataset(df=frame[["site", name]].rename(columns={name: "label"}), label_names=["label"], **given)
        for name in ("male", "called")
    )
    found = ClassificationMetric(true, called, unprivileged_groups=[{"site": 0}], privileged_groups=[{"site": 1}])
    return {"average_odds_difference": float(found.average_odds_difference())}


def of_dalex() -> dict[str, float | None]:
    """Return the ratio of shares called men where nobody of site b is, against site a."""
    from dalex.fairness import GroupFairnessClassification

    male = np.tile([1, 0], 100)
    site = np.repeat(["a", "b"], 100)
    prob = np.where(site == "a", np.where(male == 1, 0.8, 0.2), 0.1)
    found = GroupFairnessClassification(
        y=male, y_hat=prob, protected=site, privileged="a", label="m", verbose=False, cutoff=0.5
    )
    ratio = float(found.parity_loss["STP"])
    by_group = float(found.metric_scores.loc["b", "STP"])
    return {"share_called_of_b": by_group, "parity_loss": None if math.isnan(ratio) else ratio}


def main() -> None:
    """Write what the four packages say."""
    warnings.filterwarnings("ignore")
    table = json.loads((OUTPUTS / "audit_aequitas.json").read_text("utf-8"))
    names = ("aequitas", "aif360", "dalex", "fairmlhealth")
    found = {
        "made_by": ", ".join(f"{name} {version(name)}" for name in names),
        "aequitas": of_aequitas(table),
        "fairmlhealth": of_fairmlhealth(),
        "aif360": of_aif360(),
        "dalex": of_dalex(),
    }
    (OUTPUTS / "audit_defects.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
