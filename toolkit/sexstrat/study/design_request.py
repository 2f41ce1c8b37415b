"""What is asked of a design: the words of the command line as checked values."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sexstrat.errors import EstimationError, StudyError
from sexstrat.estimates import Goal, PlannedCells, standard_weights
from sexstrat.values.age_bands import AgeBands
from sexstrat.values.design import Target

__all__ = ["DesignRequest", "as_usage", "numbers"]


@contextmanager
def as_usage() -> Iterator[None]:
    """Turn what no estimator can do with stated values into a mistake of the request, whose exit code is 2.

    Examples
    --------
    >>> with as_usage():
    ...     raise EstimationError("the ratio must lie above 0; found -1")
    Traceback (most recent call last):
    sexstrat.errors.StudyError: the ratio must lie above 0; found -1
    """
    try:
        yield
    except EstimationError as err:
        raise StudyError(str(err)) from err


def numbers(words: str, option: str) -> tuple[float, ...]:
    """Return comma-separated numbers, none for an empty text; a percentage is a hundredth.

    Parameters
    ----------
    words : for instance ``0.85,0.95`` or ``5%``.
    option : name of the option, for the message.

    Raises
    ------
    StudyError : not numbers.

    Examples
    --------
    >>> numbers("0.85, 95%", "--auc")
    (0.85, 0.95)
    """
    found = []
    for word in words.split(",") if words else ():
        text = word.strip()
        try:
            value = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
        except ValueError:
            value = float("nan")
        if not np.isfinite(value):
            raise StudyError(f"{option} {words!r}: {text or 'nothing'!r} is not a number; give for instance 0.85,0.95")
        found.append(value)
    return tuple(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class DesignRequest:
    """What is known and what is wanted.

    Parameters
    ----------
    patients : of the whole cohort; None with a pilot takes the pilot's.
    prevalence, male_share : stated for the whole cohort.
    ratio, difference : how the sexes are expected to compare; None with a pilot takes the pilot's own estimate.
    aucs : areas under the curve to compare; empty with a pilot, which has its own score.
    validated : numbers validated, or shares of the patients where below 1.
    measure, width, power, level, target : as in :class:`Goal`; width, power, both, or none.
    cells : a pilot's cells, or None for stated values.
    condition, bands, design : how to read the pilot.
    standard, age_band : where a pilot's measure is wanted: standardised, in one band; None for all ages as they are.
    further, minimum, score_cuts : of the allocation; ``further`` None asks for none.

    Examples
    --------
    >>> DesignRequest(patients=1000, prevalence=0.1, ratio=1.5, aucs=(0.9,), width=2.0).wanted
    (('width', 2.0),)
    """

    patients: int | None = None
    prevalence: float | None = None
    male_share: float = 0.5
    ratio: float | None = None
    difference: float | None = None
    aucs: tuple[float, ...] = ()
    validated: tuple[float, ...] = ()
    measure: str = "ratio"
    width: float | None = None
    power: float | None = None
    level: float = 0.95
    target: str = "population"
    cells: Path | None = None
    condition: str | None = None
    bands: str = "20,30,40,50,60,70,80"
    design: str = "random"
    standard: str | None = None
    age_band: str | None = None
    further: int | None = None
    minimum: int | None = None
    score_cuts: tuple[float, ...] = ()

    @property
    def wanted(self) -> tuple[tuple[str, float], ...]:
        """What is wanted, each as its kind and value."""
        both = (("width", self.width), ("power", self.power))
        return tuple((kind, value) for kind, value in both if value is not None)

    def goal(self, kind: str, value: float, cells: PlannedCells) -> Goal:
        """Return one wish as a goal."""
        return Goal(
            measure=self.measure,
            width=value if kind == "width" else None,
            power=value if kind == "power" else None,
            weights=self.weights(cells),
            level=self.level,
            target=self.about,
        )

    @property
    def compared(self) -> bool:
        """How the sexes compare is stated, or none is assumed, so that power can be told."""
        return self.cells is None or self.ratio is not None or self.difference is not None

    @property
    def about(self) -> Target:
        """Whom the estimates are about."""
        if self.target not in {one.value for one in Target}:
            raise StudyError(f"--target {self.target!r}: no such target; allowed: {', '.join(Target)}")
        return Target(self.target)

    def weights(self, cells: PlannedCells) -> NDArray[np.float64] | None:
        """Return the weights of the age bands, or None for all ages as they are.

        Raises
        ------
        StudyError : no such band or standard, or both asked for.
        """
        if self.standard is not None and self.age_band is not None:
            raise StudyError("--standard and --age-band: a measure is standardised or of one band; give one of them")
        if self.age_band is not None:
            if self.age_band not in cells.labels:
                raise StudyError(
                    f"--age-band {self.age_band!r}: no such band; there are {', '.join(cells.labels)} (see --bands)"
                )
            return np.asarray(np.eye(len(cells.labels))[cells.labels.index(self.age_band)])
        if self.standard is None:
            return None
        with as_usage():
            return standard_weights(self.standard, self.age_bands(), cells.table(cells.n).sum(axis=1)).weights

    def age_bands(self) -> AgeBands:
        """Return the age bands.

        Raises
        ------
        StudyError : they are not rising whole numbers.
        """
        try:
            return AgeBands(tuple(int(word) for word in self.bands.split(",")))
        except ValueError as err:
            raise StudyError(f"--bands {self.bands!r}: must be rising whole numbers such as 40,50,60 ({err})") from err

    def validated_numbers(self, cells: PlannedCells) -> tuple[int, ...]:
        """Return the numbers validated, shares turned into patients.

        Raises
        ------
        StudyError : a number below 1 or above the patients there are.
        """
        patients = round(cells.total_patients)
        found = [round(value * patients) if value < 1 else round(value) for value in self.validated]
        for value, number in zip(self.validated, found, strict=True):
            if not 1 <= number <= patients:
                raise StudyError(
                    f"--validated {value:g}: must be a number from 1 to the {patients:,} patients there are, or a "
                    "share such as 5%"
                )
        return tuple(found)
