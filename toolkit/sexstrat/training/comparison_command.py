"""What ``sexstrat compare`` does: turn plain settings into a recipe and networks, compare, say what came out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from sexstrat.errors import StudyError
from sexstrat.models.views import VIEWS
from sexstrat.training.candidates import candidates
from sexstrat.training.commands import check_split, parse_phases
from sexstrat.training.compare import Comparison, compare
from sexstrat.training.pixel_cache import cache_pixels
from sexstrat.training.plan import TrainingPlan
from sexstrat.training.tables import TrainingTables
from sexstrat.training.told import Meter, Told

__all__ = ["parse_weights", "run_comparison"]


def parse_weights(entries: Sequence[str]) -> dict[str, Path]:
    """Read files of start weights.

    Parameters
    ----------
    entries : ``backbone=file`` each.

    Raises
    ------
    StudyError
        An entry has another form, or a backbone is named twice.

    Examples
    --------
    >>> parse_weights(["mobilenet=w.h5"])["mobilenet"].name
    'w.h5'
    """
    found: dict[str, Path] = {}
    for entry in entries:
        name, sign, file = entry.partition("=")
        if not (sign and name and file):
            raise StudyError(f"--weights {entry!r}: must be backbone=file, for instance mobilenet=weights.h5")
        if name in found:
            raise StudyError(f"--weights names {name} twice; one file a backbone")
        found[name] = Path(file)
    return found


def run_comparison(
    *,
    tables: TrainingTables,
    networks: Sequence[str],
    weights: Sequence[str],
    recipe: Mapping[str, Any],
    cache: Path | None,
    at_most: int | None = None,
    tell: Callable[[str], None] = lambda text: None,
    meter: Meter | None = None,
) -> Comparison:
    """Compare networks trained by one recipe on the labelled photographs.

    Parameters
    ----------
    tables : the labelled photographs.
    networks : backbones; empty for all sixteen.
    weights : ``backbone=file`` of start weights, each a row more.
    recipe : fields of :class:`TrainingPlan`, phases as text; the last phase gives the input size, and the crops are
        8/7 of it unless ``prepared_size`` is given.
    cache : folder of the prepared crops; the comparison's own when None.
    at_most : networks to train in this call; None trains all.
    tell : called with one line of progress at a time.
    meter : called after every batch with how far the fit is; None where nobody looks.

    Returns
    -------
    The tables as written.

    Raises
    ------
    StudyError, SchemaError, ModelError
        A setting, a table or a file of weights does not fit, or the folder holds another comparison.
    """
    if recipe["views"] not in VIEWS:
        raise StudyError(f"--views {recipe['views']!r}: must be one of {', '.join(VIEWS)}")
    check_split(recipe)
    phases = parse_phases(recipe["phases"])
    size = phases[-1][0]
    chosen = candidates(networks, parse_weights(weights), min(side for side, _ in phases))
    prepared = recipe.get("prepared_size") or round(size * 8 / 7)
    if prepared < size:
        raise StudyError(f"--prepared {prepared}: must be at least the last input, {size} pixels")
    settings = {**recipe, "phases": phases, "input_size": size, "prepared_size": prepared, "weights": None}
    plan = TrainingPlan(**settings)
    examples = tables.examples()
    with Told(tell, meter):
        crops = cache_pixels(examples.path.tolist(), cache or plan.out / "crops", prepared)
        return compare(plan, chosen, examples, crops, at_most=at_most)
