"""A shortcut that shows who a photograph is of: held-out figures are honest only where duplicates stay together."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from sexstrat.audit import Measurement, auc_clustered
from sexstrat.models import views_of
from sexstrat.training import Examples, PixelCache, TrainingPlan, cache_pixels, join_examples, train
from sexstrat.training.fit import male_logits

PERSONS = 110

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # from keras itself


def photographs(folder: Path) -> tuple[pd.DataFrame, pd.DataFrame, dict[str, str]]:
    """Write photographs of people known under two ids: a pattern tells who it is, nothing in it tells the sex."""
    rng = np.random.default_rng(8)
    y, x = np.mgrid[:96, :96]
    disc = (np.hypot(x - 48, y - 48) < 45)[:, :, None]
    images, persons, groups = [], [], {}
    for person in range(PERSONS):
        sex = "male" if rng.random() < 0.5 else "female"
        pattern = np.kron(rng.uniform(40, 220, (3, 3, 3)), np.ones((32, 32, 1)))
        for copy in ("a", "b"):
            name = f"{copy}{person}"
            noisy = np.clip(pattern + rng.normal(0, 6, (96, 96, 3)), 1, 255)
            Image.fromarray(np.where(disc, noisy, 0).astype(np.uint8)).save(folder / f"{name}.png")
            images.append({"image_id": name, "patient_id": name, "path": f"{name}.png"})
            persons.append({"patient_id": name, "recorded_sex": sex})
            groups[name] = f"person{person}"
    return pd.DataFrame(images), pd.DataFrame(persons), groups


def held_out_auc(
    plan: TrainingPlan, examples: Examples, cache: PixelCache, persons: np.ndarray
) -> tuple[Measurement, int]:
    """Train, and return the AUC on the test part and how many of its people were trained on under another id."""
    result = train(plan, examples, cache)
    rows = result.rows["test"]
    views = views_of("as_taken", examples.eye.tolist())
    logits = male_logits(result.network, cache.pixels, rows, views=views, size=32, scaling="tf")
    twins = np.isin(persons[rows], persons[result.rows["train"]])
    return auc_clustered(logits, examples.male[rows] == 1, persons[rows], min_patients=5), int(twins.sum())


def test_a_shortcut_shared_by_duplicates_helps_only_where_groups_are_ignored(
    tmp_path: Path, backbone_weights: Path
) -> None:
    """With the groups the AUC is that of chance; without them the network recognises whom it was taught by heart."""
    images, persons, groups = photographs(tmp_path)
    who = np.array([groups[name] for name in images["patient_id"]])
    kept = join_examples(images, persons, root=tmp_path, groups=groups)
    torn = join_examples(images, persons, root=tmp_path)
    cache = cache_pixels(kept.path.tolist(), tmp_path / "crops", 36)

    def plan(name: str) -> TrainingPlan:
        return TrainingPlan(
            weights=backbone_weights, out=tmp_path / name, prepared_size=36, input_size=32, phases=((32, 20),),
            batch_size=16, learning_rate=3e-3, dropout=0.0, label_smoothing=0.0, weight_decay=0.0, patience=20,
            views="as_taken", freeze_to="conv_pw_11_relu", average_decay=0.5,
        )  # fmt: skip

    honest, twins = held_out_auc(plan("groups"), kept, cache, who)
    assert twins == 0
    assert honest.low is not None
    assert honest.high is not None
    assert honest.low < 0.5 < honest.high
    leaked, twins = held_out_auc(plan("ids"), torn, cache, who)
    assert twins >= 20
    assert leaked.low is not None
    assert leaked.low > 0.6
    print(f"groups: {honest.point:.3f}, ids: {leaked.point:.3f}")  # noqa: T201 - the difference is the result
