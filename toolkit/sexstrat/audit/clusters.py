"""Patients as clusters of images: integer codes, sums by patient, and the clustered variance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

__all__ = ["Clusters", "cluster_variance"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Clusters:
    """Images coded by the patient they show.

    Parameters
    ----------
    code : for each image the index of its patient, 0 to ``n`` − 1; every patient has an image. Quickest where the
        images of a patient follow each other, the patients in order.
    n : number of patients.

    Examples
    --------
    >>> patients = Clusters.of(["b", "a", "b"])
    >>> patients.n, patients.total(np.array([1.0, 5.0, 2.0])).tolist()
    (2, [3.0, 5.0])
    """

    code: NDArray[np.intp]
    n: int

    @classmethod
    def of(cls, labels: ArrayLike | pd.Series) -> Clusters:
        """Code any labels (text or numbers) by their order of appearance.

        Raises
        ------
        ValueError : a label is empty, so an image belongs to no patient.
        """
        code, unique = pd.factorize(labels if isinstance(labels, pd.Series) else np.asarray(labels))
        if (code < 0).any():
            raise ValueError(f"{int((code < 0).sum())} images have no patient_id; every image needs one")
        return cls(code=code.astype(np.intp), n=len(unique))

    def total(self, values: ArrayLike) -> Floats:
        """Return the sum of the values of each patient."""
        each = np.asarray(values, dtype=float)
        if self.n == len(self.code):  # an image each: nothing to add
            totals = np.empty(self.n)
            totals[self.code] = each
            return totals
        return np.bincount(self.code, weights=each, minlength=self.n).astype(np.float64, copy=False)

    def having(self, chosen: NDArray[np.bool_]) -> int:
        """Count the patients with at least one chosen image."""
        if self.n == len(self.code):
            return int(np.count_nonzero(chosen))
        present = np.zeros(self.n, dtype=bool)
        present[self.code[chosen]] = True
        return int(np.count_nonzero(present))

    def sexes(self, male: NDArray[np.bool_]) -> tuple[int, int]:
        """Count the patients with an image of a man, and those with an image of a woman."""
        return self.having(male), self.having(~male)

    def within(self, chosen: NDArray[np.bool_]) -> Clusters:
        """Return the patients of the chosen images only, coded anew."""
        return self.part(chosen)[0]

    def part(self, chosen: NDArray[np.bool_] | NDArray[np.intp]) -> tuple[Clusters, NDArray[np.intp]]:
        """Return the patients of some images, and which of all patients each of them is.

        Parameters
        ----------
        chosen : a mask, or the positions of the images.
        """
        code = self.code[chosen]
        changes = np.diff(code, prepend=-1)
        if bool(np.all(changes >= 0)):  # patients in order, so that each is where the code changes
            starts = changes > 0
            return Clusters(code=np.cumsum(starts, dtype=np.intp) - 1, n=int(np.count_nonzero(starts))), code[starts]
        present = np.zeros(self.n, dtype=bool)
        present[code] = True
        which = np.flatnonzero(present)
        if len(which) == self.n:
            return Clusters(code=code, n=self.n), which
        renumber = np.cumsum(present, dtype=np.intp) - 1
        return Clusters(code=renumber[code], n=len(which)), which


def cluster_variance(influence: Floats, patients: Clusters) -> float:
    """Return the clustered variance of an estimate from the influence of each image.

    G/(G−1) · Σ over patients of (sum of the patient's influences)²; influences add up to 0.

    Parameters
    ----------
    influence : influence of each image on the estimate, shape (n images,).
    patients : the patient of each image.

    Returns
    -------
    The variance; NaN with fewer than two patients.

    References
    ----------
    Liang & Zeger 1986, Biometrika 73:13; with G/(G−1) as in the Taylor-linearised ratio estimator.

    Examples
    --------
    >>> round(cluster_variance(np.array([0.1, -0.1]), Clusters.of([1, 2])), 4)
    0.04
    """
    if patients.n < 2:
        return float("nan")
    return float(patients.n / (patients.n - 1) * np.sum(patients.total(influence) ** 2))
