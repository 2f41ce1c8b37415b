"""What becomes of every photograph: scored, or refused for which reason, and how good are those that were scored?

python analyses/05_score_photographs.py [IMAGES] [--model CARD] [--out scores.parquet]

IMAGES is a folder, a glob or a list; without it the few real photographs that come with the package are scored, one of
them broken on purpose. Prints counts and measures of quality, and no person's score.
"""

from __future__ import annotations

import argparse
from importlib.resources import files

import pandas as pd

import sexstrat
from sexstrat.scores import ScoreSummary, patient_scores

MEASURES = ["quality", "exposure", "sharpness", "contrast", "field_of_view"]
WAY = ["model_id", "runtime", "precision", "decode"]


def main() -> None:
    """Score, then print what became of the photographs, how they were scored and how good they are."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("images", nargs="?", default=None)
    parser.add_argument("--model", default=None, help="card of a model; the demonstration model when left out")
    parser.add_argument("--out", default=None, help="also write the scores: .parquet or .csv")
    arguments = parser.parse_args()
    images = arguments.images or str(files("sexstrat.study.sample") / "images.csv")
    scores = sexstrat.score_images(images, model=arguments.model, out=arguments.out)
    print(ScoreSummary.of(scores))
    lost = scores.loc[scores["status"] != "ok", ["image_id", "status", "reason"]]
    for line in lost.itertuples(index=False):
        print(f"refused: {line.image_id} ({line.status}): {line.reason}")
    ok = scores[scores["status"] == "ok"]
    print("\nscored by: " + "; ".join(f"{name} {', '.join(map(str, ok[name].dropna().unique()))}" for name in WAY))
    print(f"\nquality of the {len(ok)} photographs that were scored, 0 is worst of quality, exposure and sharpness")
    spread = ok[MEASURES].astype(float).quantile([0.0, 0.25, 0.5, 0.75, 1.0]).T
    spread.columns = pd.Index(["lowest", "quarter", "middle", "three_quarters", "highest"])
    print(spread.to_string(float_format=lambda value: f"{value:.3f}") if len(ok) else "none was scored")
    if scores["patient_id"].notna().any():
        eyes = patient_scores(scores)["n_eyes"].value_counts().sort_index()
        print("\npatients by number of eyes scored: " + ", ".join(f"{eye}: {n}" for eye, n in eyes.items()))


if __name__ == "__main__":
    main()
