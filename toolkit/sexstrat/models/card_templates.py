"""Texts that a registry asks its users to carry, ready for a model card."""

from __future__ import annotations

from typing import Any

from sexstrat.errors import ModelError

__all__ = ["CARD_TEMPLATES", "card_template"]

CARD_TEMPLATES: dict[str, dict[str, Any]] = {
    "joir": {
        "title": "Model released by the Japan Ocular Imaging Registry (JOIR)",
        "statement": (
            "Released by the Japan Ocular Imaging Registry. Its makers checked its performance on their own data only "
            "and do not guarantee it for others; measure it on patients of yours whose sex is recorded."
        ),
        "intended_use": (
            "Ophthalmology research on groups with fundus photographs; never for a decision about a person."
        ),
        "failure_modes": [
            "eye disease changes the regions that the network reads: report its errors by disease and age",
            "persons younger or older than those it was trained on",
            "other cameras, fields of view and crops than those it was trained on",
        ],
        "citation": [
            "Miyake M, Akiyama M, Kashiwagi K, Sakamoto T, Oshika T. Jpn J Ophthalmol 2022;66(6):499-503. "
            "doi:10.1007/s10384-022-00941-0"
        ],
        "acknowledgement": (
            "We thank the Japanese Ophthalmological Society (JOS), the Japan Ocular Imaging Registry (JOIR) and the "
            "National Institute of Informatics (NII) for the model. (Where the download page words this sentence "
            "otherwise, its wording holds.)"
        ),
        "terms": (
            "Free to use; the societies that released it claim no ownership of results and take no responsibility for "
            "the output. Users must cite the article and acknowledge JOS, JOIR and NII. The terms were read beside the "
            "registry's age model; read those beside the file that you download. http://www.joir.jp/data/"
        ),
    }
}
"""Template by name; fields of :class:`sexstrat.models.ModelCard`. What the file or its maker must tell is not in it."""


def card_template(name: str) -> dict[str, Any]:
    """Return the texts of a template.

    Parameters
    ----------
    name : one of ``CARD_TEMPLATES``.

    Returns
    -------
    Fields of a model card by name.

    Raises
    ------
    ModelError
        There is no template of that name.

    Examples
    --------
    >>> "10384-022-00941-0" in card_template("joir")["citation"][0]
    True
    """
    if name not in CARD_TEMPLATES:
        raise ModelError(f"no card template {name!r}; allowed: {', '.join(CARD_TEMPLATES)}")
    return CARD_TEMPLATES[name]
