"""The card of the shipped demonstration model: what it learned from, what it is worth, what it must not do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from sexstrat.models import GoldenOutput, ModelCard, publish
from sexstrat.models.backbones import backbone
from sexstrat.training.examples import Examples
from sexstrat.training.train import TrainingResult

__all__ = ["MODEL_ID", "demonstration_card", "publish_demonstration"]

MODEL_ID = "sexstrat-demo-mobilenet-1"

STATEMENT = (
    "A demonstration, so that the toolkit can be tried on real photographs at once. It is far weaker than models "
    "trained on large cohorts. For science use the models released by the Japan Ocular Imaging Registry (JOIR), or "
    "your own, with a card of their own. Whatever the model, its scores are for research on groups, corrected against "
    "patients whose sex is recorded; never for a decision about a person."
)
INTENDED_USE = (
    "Research on groups of adults with colour fundus photographs: learning the toolkit, testing a pipeline. Not for "
    "diagnosis, not for finding out or overwriting the sex of an individual, not for children."
)
FAILURE_MODES = (
    "Accuracy falls with eye disease, above all where fovea or optic disc are changed, so errors differ between "
    "patients with and without the disease under study; see performance by disease.",
    "Accuracy changes with age, and age with sex in the training data (64 % men at 40-49, 49 % at 60-69).",
    "Other cameras, fields or countries than those of the training data; widefield pictures were never seen.",
    "Cataract haze, darkness and blur push the score towards one half or towards a camera's typical score.",
    "People recorded as female or male wrongly: 7 of 17 people found under several ids in the source carry both sexes.",
    "Ages below 18 were hardly seen.",
)
CITATION = (
    "N. Li, T. Li, C. Hu, K. Wang, H. Kang. A Benchmark of Ocular Disease Intelligent Recognition: One Shot for "
    "Multi-disease Detection. Bench 2020. doi:10.1007/978-3-030-71058-3_11, arXiv:2102.07978.",
    "A. G. Howard, M. Zhu, B. Chen, et al. MobileNets: Efficient Convolutional Neural Networks for Mobile Vision "
    "Applications. arXiv:1704.04861, 2017.",
)
ACKNOWLEDGEMENT = (
    "The demonstration model of sexstrat was trained on ODIR-5K (Ocular Disease Intelligent Recognition), collected by "
    "Shanggong Medical Technology Co., Ltd., from ImageNet weights of MobileNet (Google, Apache-2.0)."
)
TERMS = (
    "Research only. The weights derive from ODIR-5K, whose owners ask for registration and research use; they are not "
    "covered by the licence of the code. Cite the papers named in this card; do not use commercially; do not try to "
    "find out who anybody is."
)


def demonstration_card(
    result: TrainingResult, examples: Examples, performance: tuple[dict[str, Any], ...], *, n_listed: int
) -> ModelCard:
    """Return the card of a model trained on ODIR-5K, before its weights are written.

    Parameters
    ----------
    result : the trained model.
    examples : photographs with labels.
    performance : figures on people the model never saw.
    n_listed : photographs in the source's list.

    Returns
    -------
    The card; digest and golden outputs are filled in when it is published.
    """
    plan, entry = result.plan, backbone(result.plan.backbone)
    learned = np.concatenate([result.rows["train"], result.rows["validation"]])
    ages = examples.age_years[learned]
    return ModelCard(
        model_id=MODEL_ID,
        title="MobileNet, demonstration: recorded sex from colour fundus photographs of ODIR-5K",
        weights_file=f"{MODEL_ID}.npz",
        weights_sha256="0" * 64,
        backbone=plan.backbone,
        input_size=plan.input_size,
        prepared_size=plan.prepared_size,
        scaling=entry.scaling,
        channel_order=entry.channel_order,
        output_kind="logit",
        class_order=("male",),
        test_time_flip=True,
        training_ages=(float(np.nanmin(ages)), float(np.nanmax(ages))),
        training_data=_training_data(result, examples, n_listed),
        performance=performance,
        statement=STATEMENT,
        intended_use=INTENDED_USE,
        failure_modes=FAILURE_MODES,
        citation=CITATION,
        acknowledgement=ACKNOWLEDGEMENT,
        terms=TERMS,
        recipe=plan.recipe() | {"kept_epoch": result.progress.kept_epoch, "log": list(result.progress.log)},
        golden=(GoldenOutput(seed=1, prob_male=0.5),),
    )


def publish_demonstration(
    result: TrainingResult, examples: Examples, performance: tuple[dict[str, Any], ...], folder: Path
) -> ModelCard:
    """Write the shipped model: weights, card and notice.

    Parameters
    ----------
    result : the trained model.
    examples : photographs with labels.
    performance : figures on people the model never saw.
    folder : where to write.

    Returns
    -------
    The card as written.
    """
    card = demonstration_card(result, examples, performance, n_listed=len(examples))
    written = publish(result.network, card, folder)
    (folder / "NOTICE.md").write_text(_notice(written), encoding="utf-8")
    return written


def _training_data(result: TrainingResult, examples: Examples, n_listed: int) -> dict[str, Any]:
    parts = {name: _counts(examples, rows) for name, rows in result.rows.items()}
    return {
        "source": "ODIR-5K (OIA-ODIR), colour fundus photographs, several cameras, China; eye-clinic patients",
        "n_photographs_listed": n_listed,
        "parts": parts,
        "split": "by person: a fixed hash of the duplicate group; 20 % test, 10 % validation, 70 % training",
        "left_out": "people whose age is the placeholder 1",
        "labels": "sex as recorded, known to hold errors; age and disease flags of the patient help in training",
        "unit": "patient ids; people known under several ids are kept in one part",
    }


def _counts(examples: Examples, rows: Any) -> dict[str, int]:
    _, first = np.unique(examples.patient_id[rows], return_index=True)
    male = examples.male[rows][first]
    counts = {"n_photographs": len(rows), "n_patients": len(first)}
    return counts | {"n_men": int((male == 1).sum()), "n_women": int((male == 0).sum())}


def _notice(card: ModelCard) -> str:
    cited = "\n".join(f"- {text}" for text in card.citation)
    return (
        f"# Notice for the weights `{card.weights_file}`\n\n{card.statement}\n\n"
        f"**Terms.** {card.terms}\n\n**Acknowledgement.** {card.acknowledgement}\n\n**Cite.**\n\n{cited}\n\n"
        f"SHA-256 `{card.weights_sha256}`. The network is rebuilt from code; the file holds half-precision arrays "
        "and no code. Everything else about the model is in `card.json` beside this notice.\n"
    )
