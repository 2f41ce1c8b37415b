"""How far do faster ways of scoring move the scores of these photographs?

python analyses/03_decode_change.py [IMAGES] [--labels LABELS]

Scores the photographs by the reference (Keras, every pixel decoded, float32) and by each faster way, and prints the
mean and largest change of prob_male; with labels (image_id, recorded_sex) the area under the curve by photograph too.
Small photographs are never decoded at reduced size, so use files as the camera wrote them. Without IMAGES it takes the
few real photographs that come with the package, one of them broken on purpose.
"""

from __future__ import annotations

import argparse
from importlib.resources import files
from pathlib import Path

import pandas as pd
from sklearn.metrics import roc_auc_score

import sexstrat

WAYS = (
    ("keras", "exact", "float32"),
    ("openvino", "exact", "float32"),
    ("openvino", "safe", "float32"),
    ("openvino", "fast", "float32"),
    ("openvino", "safe", "bf16"),
)


def main() -> None:
    """Score each way, compare with the first, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("images", nargs="?", default=str(files("sexstrat.study.sample") / "images.csv"))
    parser.add_argument("--model", default=None)
    parser.add_argument("--labels", type=Path)
    arguments = parser.parse_args()
    sex = None if arguments.labels is None else pd.read_csv(arguments.labels).set_index("image_id")["recorded_sex"]
    rows, reference = [], None
    for runtime, decode, precision in WAYS:
        scores = sexstrat.score_images(
            arguments.images, model=arguments.model, runtime=runtime, decode=decode, precision=precision
        ).set_index("image_id")
        found = scores["prob_male"].dropna()
        reference = found if reference is None else reference
        moved = (found - reference).abs()
        row = {"way": f"{runtime} {decode} {precision}", "state": "ok", "photographs": len(found)}
        row |= {"mean_change": moved.mean(), "largest_change": moved.max()}
        if sex is not None:
            known = found.index[sex.reindex(found.index).isin(["male", "female"])]
            row["auc"] = roc_auc_score(sex.loc[known] == "male", found.loc[known])
        rows.append(row)
    print(pd.DataFrame(rows).to_string(index=False, float_format=lambda value: f"{value:.6f}"))


if __name__ == "__main__":
    main()
