"""PACC, ACC and EMQ by QuaPy 0.2 on fixed scores.

Needs: quapy. Run: python quantification.py > ../outputs/quantification.json
"""

import json
import sys
import warnings
from importlib.metadata import version

import numpy as np
from scipy.special import expit
from scipy.stats import norm

warnings.filterwarnings("ignore")
from quapy.method.aggregative import ACC, EMQ, PACC  # noqa: E402

CLASSES = np.array([0, 1])


def quantiles(n: int, mean: float) -> np.ndarray:
    """Return n scores: the logistic of normal quantiles about a mean."""
    return expit(1.9 * (norm.ppf((np.arange(n) + 0.5) / n) + mean)).round(6)


def two(p: np.ndarray) -> np.ndarray:
    return np.column_stack([1 - p, p])


men, women = quantiles(150, 0.9), quantiles(90, -0.8)
target = np.sort(np.concatenate([quantiles(130, 0.95), quantiles(270, -0.85)]))
scores, labels = np.concatenate([women, men]), np.repeat(CLASSES, [90, 150])


def solved(rates: np.ndarray, mean: np.ndarray) -> float:
    return float(ACC.solve_adjustment(rates, mean, solver="exact-raise", method="inversion")[1])


soft = PACC.getPteCondEstim(CLASSES, labels, two(scores))
hard = ACC.getPteCondEstim(CLASSES, labels, (scores >= 0.5).astype(int))
called = np.bincount(target >= 0.5, minlength=2) / target.size
EMQ.MAX_ITER = 100_000
share, _ = EMQ.EM(np.bincount(labels) / labels.size, two(target), epsilon=1e-15)
sys.stdout.write(
    json.dumps(
        {
            "men": men.tolist(),
            "women": women.tolist(),
            "target": target.tolist(),
            "pacc": solved(soft, two(target).mean(axis=0)),
            "acc": solved(hard, called),
            "emq": float(share[1]),
            "made_with": {"quapy": version("quapy")},
        }
    )
)
