"""How often an image has no score, and whether that is the photograph's fault or the file's."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
import pandas as pd
from numpy.typing import NDArray

__all__ = ["KINDS", "absence"]

# statuses of the score contract: a photograph that was looked at and is of no use, or a file that never became one
KINDS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "ungradable": ("ungradable", "no_field_of_view"),
        "refused": (
            "missing_file", "empty_file", "unreadable", "not_an_image", "too_small", "too_large", "duplicate_id",
            "model_failed",
        ),
    }
)  # fmt: skip


def absence(status: pd.Series) -> dict[str, NDArray[np.bool_]]:
    """Tell which images have no score, and of which kind each is.

    Parameters
    ----------
    status : status of each image, ``ok`` or why there is no score.

    Returns
    -------
    ``without_score``, ``ungradable`` and ``refused``; any status that is neither ok nor known counts as refused, so
    that the two kinds always add up to the first.

    Examples
    --------
    >>> found = absence(pd.Series(["ok", "ungradable", "unreadable", "mislaid"]))
    >>> {kind: int(chosen.sum()) for kind, chosen in found.items()}
    {'without_score': 3, 'ungradable': 1, 'refused': 2}
    """
    without = (status != "ok").to_numpy(dtype=bool)
    ungradable = without & status.isin(KINDS["ungradable"]).to_numpy(dtype=bool)
    return {"without_score": without, "ungradable": ungradable, "refused": without & ~ungradable}
