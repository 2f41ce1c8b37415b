"""PPI++ means and intervals by ppi_py on fixed inputs, with two of its habits that ours must not have.

Needs: ppi-python. Run: python ppi.py > ../outputs/ppi.json
"""

import json
import sys
from importlib.metadata import version

import numpy as np
from ppi_py import ppi_mean_ci, ppi_mean_pointestimate

k = np.arange(80)
labels = ((k * 7) % 11 < 5).astype(float)
predictions = (0.35 + 0.2 * labels + 0.45 * np.sin(k)).round(6)
unlabelled = (0.45 + 0.3 * np.sin(1.3 * np.arange(700))).round(6)


def case(power: float | None) -> dict[str, object]:
    given = (labels, predictions, unlabelled)
    low, high = ppi_mean_ci(*given, alpha=0.05, lam=power)
    default_low, default_high = ppi_mean_ci(*given, lam=power)
    one_sided = ppi_mean_ci(*given, alpha=0.05, alternative="larger", lam=power)
    return {
        "power": power,
        "point": float(np.squeeze(ppi_mean_pointestimate(*given, lam=power))),
        "low": float(np.squeeze(low)),
        "high": float(np.squeeze(high)),
        "default_low": float(np.squeeze(default_low)),
        "default_high": float(np.squeeze(default_high)),
        "one_sided_upper_is_finite": bool(np.isfinite(np.squeeze(one_sided[1]))),
    }


sys.stdout.write(
    json.dumps(
        {
            "labels": labels.tolist(),
            "predictions": predictions.tolist(),
            "unlabelled": unlabelled.tolist(),
            "cases": [case(0.0), case(0.6), case(1.0), case(None)],
            "made_with": {"ppi-python": version("ppi-python")},
        },
        indent=1,
    )
)
