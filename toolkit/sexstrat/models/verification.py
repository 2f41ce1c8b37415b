"""Check a model against its card, one promise after the other, and say what would make a broken one hold."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from sexstrat.errors import ModelError
from sexstrat.models.backbones import BACKBONES, backbone
from sexstrat.models.card import read_card
from sexstrat.models.golden import golden_difference, golden_input
from sexstrat.models.load import card_path_of, load_unchecked
from sexstrat.models.loaded_model import LoadedModel
from sexstrat.models.model_files import file_contents
from sexstrat.models.release import CHECKSUMS, changed_files
from sexstrat.models.scaling import SCALINGS
from sexstrat.models.weights import weights_sha256

__all__ = ["Check", "scaling_variants", "size_variants", "verify_model"]

_LARGEST_USUAL = 300  # pixels: sizes at which people train all sixteen


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One promise of a card.

    Parameters
    ----------
    name : what is promised.
    held : whether it holds; None when that cannot be told.
    detail : what was found, in one sentence.
    """

    name: str
    held: bool | None
    detail: str


def verify_model(source: str | Path, *, trust: bool = False) -> tuple[LoadedModel | None, tuple[Check, ...]]:
    """Check digest, weights and golden outputs of a model.

    Parameters
    ----------
    source : a card's JSON file, or a folder with ``card.json``.
    trust : whether the maker of a SavedModel is trusted.

    Returns
    -------
    The model, None when it could not be loaded; and the checks made.

    Raises
    ------
    ModelError
        There is no card, or it breaks its contract.
    """
    path = card_path_of(source)
    card = read_card(path)
    weights = path.parent / card.weights_file
    try:
        digest = weights_sha256(weights)
    except ModelError as err:
        return None, (Check(name="digest", held=False, detail=str(err)),)
    if digest != card.weights_sha256:
        detail = f"SHA-256 of {card.weights_file} is {digest}; the card says {card.weights_sha256}"
        return None, (Check(name="digest", held=False, detail=detail),)
    checks = [Check(name="digest", held=True, detail=f"SHA-256 {digest}")]
    try:
        contents = file_contents(weights, trust=trust)
        model = load_unchecked(card, weights, trust=trust)
    except ModelError as err:
        return None, (*checks, Check(name="weights", held=False, detail=str(err)))
    told = f"{contents.n_arrays:,} arrays with {contents.n_values:,} values, each in its place"
    checks.append(Check(name="weights", held=True, detail=told))
    checks += [_golden_check(model, weights, trust), _sensitivity_check(model)]
    return model, (*checks, *_release_checks(path.parent))


def _release_checks(folder: Path) -> Iterator[Check]:
    """Check every file of a published folder by its checksums; a folder without them has nothing to check."""
    if not (folder / CHECKSUMS).is_file():
        return
    kept, wrong = changed_files(folder)
    told = "; ".join(wrong) or f"{kept} files are as published"
    yield Check(name="published files", held=not wrong, detail=told)


def _golden_check(model: LoadedModel, weights: Path, trust: bool) -> Check:
    worst, allowed = golden_difference(model), model.card.golden_tolerance
    detail = f"largest difference {worst:.2g}, allowed {allowed:.2g}"
    if worst <= allowed:
        return Check(name="golden outputs", held=True, detail=detail)
    quick = (*_class_variants(model), *scaling_variants(model))
    fitting = [name for name, other in quick if golden_difference(other) <= allowed]
    if not fitting:  # another size needs another network
        fitting = [name for name, other in size_variants(model, weights, trust) if golden_difference(other) <= allowed]
    hint = f"; they hold with {' or '.join(fitting)}: the card is wrong there" if fitting else ""
    return Check(name="golden outputs", held=False, detail=detail + hint)


def _sensitivity_check(model: LoadedModel) -> Check:
    """Golden outputs that another scaling or class gives as well cannot show a wrong one."""
    card, others = model.card, (*_class_variants(model), *scaling_variants(model))
    blind = [name for name, other in others if golden_difference(other) <= card.golden_tolerance]
    if blind:
        detail = f"{' and '.join(blind)} would give the same golden outputs; check with labelled photographs"
        return Check(name="golden outputs tell scalings apart", held=None, detail=detail)
    detail = "no other class, scaling or channel order fits"
    return Check(name="golden outputs tell scalings apart", held=True, detail=detail)


def _class_variants(model: LoadedModel) -> Iterator[tuple[str, LoadedModel]]:
    """Yield the model with its classes swapped; a model of age has none."""
    order = model.card.class_order
    if not order:
        return
    swapped = order[::-1] if len(order) == 2 else ("female" if order == ("male",) else "male",)
    yield f"class_order {','.join(swapped)}", replace(model, card=replace(model.card, class_order=swapped))


def scaling_variants(model: LoadedModel) -> Iterator[tuple[str, LoadedModel]]:
    """Yield a model fed with each other scaling, and with the other channel order, than its card says.

    Parameters
    ----------
    model : the loaded model.

    Yields
    ------
    What differs, and the model fed like that.
    """
    card = model.card
    for scaling in SCALINGS:
        if scaling != card.scaling:
            yield f"scaling {scaling}", replace(model, card=replace(card, scaling=scaling))  # type: ignore[arg-type]  # one of SCALINGS
    order = "BGR" if card.channel_order == "RGB" else "RGB"
    yield f"channel_order {order}", replace(model, card=replace(card, channel_order=order))  # type: ignore[arg-type]  # one of two


def size_variants(model: LoadedModel, weights: Path, trust: bool) -> Iterator[tuple[str, LoadedModel]]:
    """Yield a model fed with pictures of each usual size other than its card's; each needs a network of its own.

    Parameters
    ----------
    model : the loaded model.
    weights : its weights file.
    trust : whether the maker of a SavedModel is trusted.

    Yields
    ------
    What differs, and the model fed like that; sizes that the network does not take are left out.
    """
    card = model.card
    usual = {entry.native_size for entry in BACKBONES.values() if entry.native_size <= _LARGEST_USUAL}
    sizes = {backbone(card.backbone).native_size} | usual
    for size in sorted(sizes - {card.input_size}):
        prepared = round(card.prepared_size * size / card.input_size)
        try:
            other = load_unchecked(
                replace(card, input_size=size, prepared_size=max(size, prepared)), weights, trust=trust
            )
            other.predict(golden_input(1, other.card.prepared_size)[None])
        except ModelError:
            continue
        yield f"input_size {size}", other
