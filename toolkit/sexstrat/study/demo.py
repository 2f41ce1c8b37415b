"""Run the whole chain on what the package embeds: real photographs scored, a simulated cohort analysed."""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib.resources import as_file, files
from pathlib import Path

from sexstrat.study.file import load_study
from sexstrat.study.run import RunSummary, run_study
from sexstrat.study.simulated import write_simulated_study

__all__ = ["run_demo"]

N_PATIENTS = 20_000
SEED = 20231207
TITLE = "Demonstration: what predicted sex does to a prevalence ratio, and how it is put right"


def run_demo(out: str | Path, *, tell: Callable[[str], None] = lambda text: None) -> RunSummary:
    """Score the embedded photographs, simulate a cohort with known truth, estimate, audit and report.

    Parameters
    ----------
    out : the run folder; made when absent. A second call runs only what is stale.
    tell : called with one line a stage.

    Returns
    -------
    Where the report is.
    """
    folder = Path(out)
    photographs = score_sample(folder, tell)
    study = write_simulated_study(
        folder / "study",
        setting="error_by_disease",
        n_patients=N_PATIENTS,
        seed=SEED,
        title=TITLE,
        notices=[photographs],
        extra=f'model_card = "shipped"\nacknowledgements = {json.dumps(attribution(), ensure_ascii=False)}\n'
        'report.languages = ["en", "ja"]\n',
    )
    return run_study(load_study(study), folder, tell=tell)


def score_sample(folder: Path, tell: Callable[[str], None]) -> str:
    """Score the embedded photographs with the shipped model; return the sentence that says how it went."""
    from sexstrat.scores import ScoreSummary, score_images

    with as_file(files("sexstrat.study.sample")) as sample:
        frame = score_images(sample / "images.csv", out=folder / "private" / "photographs.parquet", progress=tell)
    summary = ScoreSummary.of(frame)
    lost = frame.loc[frame["status"] != "ok"]
    refused = [f"{Path(str(path)).name}: {why}" for path, why in zip(lost["path"], lost["reason"], strict=True)]
    text = f"{summary.n_ok} of {summary.n_images} embedded real photographs were scored by the shipped model"
    tell(f"photographs: {text}" + (f"; refused: {'; '.join(refused)}" if refused else ""))
    return photographs_notice(refused=bool(refused))


def photographs_notice(*, refused: bool) -> str:
    """Say what the photographs of the demonstration are for; without counts, which the gate would take for patients.

    Parameters
    ----------
    refused : whether some of them could not be scored.
    """
    why = "; the others were refused, each kept as a row with its reason, as it should be" if refused else ""
    return (
        f"The shipped model scored real photographs that come with this package{why}. Their scores play no part in the "
        "estimates below: they are too few to analyse."
    )


def attribution() -> list[str]:
    """Return the attribution lines of the embedded photographs."""
    text = files("sexstrat.study.sample").joinpath("ATTRIBUTION.md").read_text(encoding="utf-8")
    return [line.removeprefix("- ").strip() for line in text.splitlines() if line.startswith("- ")]
