"""Find the circular field of view of a fundus photograph on its dark ground."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from sexstrat.errors import ImageError

__all__ = ["WORKING_SIDE", "FieldOfView", "find_field_of_view", "fit_circle"]

Method = Literal["circle", "box", "full_frame"]

WORKING_SIDE = 320
"""Longer side, in pixels, of the reduced copy on which the circle is looked for."""

_TRIPLES = 400
_TOLERANCE = 1.5  # pixels of the reduced copy; a border blurred by reduction moves by about one
_PRODUCTS_AT_ONCE = 200_000  # OpenBLAS uses several threads above 262,144
_FLAT = 1e-9  # spread of points across a line, over that along it, below which they lie on it
_MINIMUM_SUPPORT = 0.35  # share of free border points that must lie on the circle
_MINIMUM_BRIGHT = 0.04  # share of pixels brighter than the ground


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldOfView:
    """The circle that holds the retina, in pixels of the photograph.

    Parameters
    ----------
    center_x, center_y : centre, in pixels from the left and the top; may lie off the middle.
    radius : radius in pixels; the circle may reach beyond a photograph that cuts it off.
    method : ``circle`` fitted to the border; ``box`` from the extent of the bright region when no
        circle fits; ``full_frame`` when the retina fills the photograph to its corners.
    coverage : share of the circle that lies inside the photograph and is brighter than the ground, 0 to 1.
    """

    center_x: float
    center_y: float
    radius: float
    method: Method
    coverage: float


def find_field_of_view(pixels: NDArray[np.uint8], area: tuple[float, float, float, float] | None = None) -> FieldOfView:
    """Find the fundus circle, also when it is cut off, dark, notched or fills the frame.

    The brightest channel of a reduced copy is compared with the ground (the darkest corner). The first
    and last bright pixel of every row and column are border points, except where the frame itself cuts
    the circle. A circle through three of them that most others lie on (random sample consensus, fixed
    seed) is refined by least squares on those others, so a notch, a label or a dark rim has no pull.

    Parameters
    ----------
    pixels : RGB photograph of shape (height, width, 3), uint8.
    area : left, top, right and bottom of what the photograph itself takes up of the pixels, which may reach
        beyond it by a fraction, see ``ImageArray.area``; None is all.

    Returns
    -------
    The circle in units of the pixels given.

    Raises
    ------
    ImageError
        Nothing in the picture stands out from its ground (status ``no_field_of_view``).

    References
    ----------
    Fischler MA, Bolles RC. Random sample consensus. Commun ACM 1981;24:381-395.

    Examples
    --------
    >>> y, x = np.mgrid[:200, :300]
    >>> disc = ((x - 150) ** 2 + (y - 100) ** 2 < 90**2)[:, :, None] * np.array([180, 90, 40])
    >>> found = find_field_of_view(disc.astype(np.uint8))
    >>> round(found.center_x), round(found.center_y), round(found.radius), found.method
    (150, 100, 90, 'circle')
    """
    left, top, right, bottom = (0, 0, pixels.shape[1], pixels.shape[0]) if area is None else area
    grey, scale = _reduced(pixels, (left, top, right, bottom))
    bright = _brighter_than_ground(grey)
    if bright is None:
        return FieldOfView(
            center_x=left + (right - left) / 2,
            center_y=top + (bottom - top) / 2,
            radius=min(right - left, bottom - top) / 2,
            method="full_frame",
            coverage=1.0,
        )
    points = _border_points(bright)
    circle = _consensus_circle(points, limit=max(grey.shape)) if len(points) >= 12 else None
    method: Method = "circle" if circle is not None else "box"
    center_x, center_y, radius = circle if circle is not None else _box(bright)
    return FieldOfView(
        center_x=left + center_x * scale,
        center_y=top + center_y * scale,
        radius=radius * scale,
        method=method,
        coverage=_coverage(bright, center_x, center_y, radius),
    )


def fit_circle(points: NDArray[np.float64]) -> tuple[float, float, float]:
    """Fit a circle by least squares on ``x² + y² = 2ax + 2by + c`` (Kåsa's algebraic fit).

    Parameters
    ----------
    points : coordinates of shape (n, 2), n at least 3 and not on one line.

    Returns
    -------
    Centre x, centre y and radius, in the unit of the points.

    Raises
    ------
    ValueError
        The points lie on one line.

    References
    ----------
    Kåsa I. A circle fitting procedure and its error analysis. IEEE Trans Instrum Meas 1976;25:8-14.

    Examples
    --------
    >>> [round(v, 6) for v in fit_circle(np.array([[3.0, 0], [0, 3], [-3, 0], [0, -3]]))]
    [0.0, 0.0, 3.0]
    """
    shift = points.mean(axis=0)
    x, y = (points - shift).T
    squares = x * x + y * y
    xx, xy, yy = float(x @ x), float(x @ y), float(y @ y)  # with x and y centred, a and b do not depend on c
    right_x, right_y = float(x @ squares) / 2, float(y @ squares) / 2
    determinant = xx * yy - xy * xy
    if determinant <= _FLAT * (xx + yy) ** 2:
        raise ValueError("the points lie on one line; a circle needs three that do not")
    a, b = (right_x * yy - right_y * xy) / determinant, (right_y * xx - right_x * xy) / determinant
    return float(a + shift[0]), float(b + shift[1]), float(np.sqrt(float(squares.mean()) + a * a + b * b))


def _reduced(pixels: NDArray[np.uint8], area: tuple[float, float, float, float]) -> tuple[NDArray[np.uint8], float]:
    """Return the brightest channel on a grid that depends on the photograph alone, however it was decoded."""
    width, height = area[2] - area[0], area[3] - area[1]
    scale = max(1.0, max(height, width) / WORKING_SIDE)
    picture = Image.fromarray(np.maximum(np.maximum(pixels[:, :, 0], pixels[:, :, 1]), pixels[:, :, 2]))
    if scale > 1.0:
        size = (max(1, round(width / scale)), max(1, round(height / scale)))
        picture = picture.resize(size, Image.Resampling.BOX, box=area)
    return np.asarray(picture), scale


def _brighter_than_ground(grey: NDArray[np.uint8]) -> NDArray[np.bool_] | None:
    """Return the bright region, or None when the retina reaches into all four corners."""
    side = max(2, min(grey.shape) // 40)
    corners = (grey[:side, :side], grey[:side, -side:], grey[-side:, :side], grey[-side:, -side:])
    levels = sorted(float(np.median(corner)) for corner in corners)
    counts = np.bincount(grey.ravel(), minlength=256)
    ground, inside = levels[0], _upper_quintile(counts)
    if inside < 12:
        raise ImageError("no_field_of_view", "the picture is black")
    if _spread(counts) < 2.0:
        raise ImageError("no_field_of_view", "the picture is a single flat colour")
    if ground > 0.45 * inside:
        return None
    bright = grey > ground + max(5.0, 0.16 * (inside - ground))
    if bright.mean() < _MINIMUM_BRIGHT:
        raise ImageError("no_field_of_view", "hardly anything stands out from the dark ground")
    return bright


def _upper_quintile(counts: NDArray[np.int64]) -> float:
    """Return the 80th percentile by linear interpolation, from counts of grey levels: numpy's sorts the pixels."""
    counted = np.cumsum(counts)
    place = 0.8 * (int(counted[-1]) - 1)
    low, high = (int(np.searchsorted(counted, int(place) + step, side="right")) for step in (0, 1))
    return low + (high - low) * (place - int(place))


def _spread(counts: NDArray[np.int64]) -> float:
    """Return the standard deviation of the grey levels."""
    levels = np.arange(256)
    total = float(counts.sum())
    mean = float(counts @ levels) / total
    return float(np.sqrt(float(counts @ (levels - mean) ** 2) / total))


def _border_points(bright: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return where rows and columns enter and leave the bright region, the frame's own edges left out."""
    found: list[NDArray[np.float64]] = []
    for mask, swapped in ((bright, False), (bright.T, True)):
        lines = np.flatnonzero(mask.sum(axis=1) >= 3)
        length = mask.shape[1]
        first = mask[lines].argmax(axis=1)
        last = length - 1 - mask[lines, ::-1].argmax(axis=1)
        for position, edge in ((first, 0.0), (last, 1.0)):
            free = (position > 1) & (position < length - 2)
            pair = np.column_stack([position[free] + edge, lines[free] + 0.5])
            found.append(pair[:, ::-1] if swapped else pair)
    return np.concatenate(found).astype(np.float64)


def _consensus_circle(points: NDArray[np.float64], *, limit: int) -> tuple[float, float, float] | None:
    rng = np.random.default_rng(20240501)
    chosen = points[rng.integers(0, len(points), size=(_TRIPLES, 3))]
    centers, radii = _circumcircles(chosen)
    plausible = np.isfinite(radii) & (radii > 0.15 * limit) & (radii < 1.2 * limit)
    if not plausible.any():
        return None
    centers, radii = centers[plausible], radii[plausible]
    best = int(_votes(points, centers, radii).argmax())
    circle = (float(centers[best, 0]), float(centers[best, 1]), float(radii[best]))
    near = np.zeros(len(points), dtype=bool)
    for _ in range(5):
        off = np.abs(np.hypot(points[:, 0] - circle[0], points[:, 1] - circle[1]) - circle[2])
        near = off < _TOLERANCE
        if near.sum() < 8:
            return None
        try:
            circle = fit_circle(points[near])
        except ValueError:  # the straight edge of a picture, no circle
            return None
    return circle if near.mean() >= _MINIMUM_SUPPORT else None


def _votes(points: NDArray[np.float64], centers: NDArray[np.float64], radii: NDArray[np.float64]) -> NDArray[np.int64]:
    """Count the points within the tolerance t of each circle: |distance - r| < t, as -2rt < distance² - r² - t² < 2rt.

    Differences of squares are products of matrices, made in pieces that stay in a processor's cache and are small
    enough for its library to use one thread: the photographs themselves are read in several.
    """
    middle = points.mean(axis=0)  # single precision is enough for numbers of a few hundred thousand
    points, centers = points - middle, centers - middle
    rows = np.stack([(points**2).sum(axis=1), points[:, 0], points[:, 1], np.ones(len(points))]).astype(np.float32)
    circles = np.column_stack([np.ones(len(radii)), -2 * centers, (centers**2).sum(axis=1) - radii**2 - _TOLERANCE**2])
    circles, width = circles.astype(np.float32), (2 * _TOLERANCE * radii[:, None]).astype(np.float32)
    step = max(1, _PRODUCTS_AT_ONCE // rows.size)
    votes = np.empty(len(radii), dtype=np.int64)
    for start in range(0, len(radii), step):
        piece = slice(start, start + step)
        off = circles[piece] @ rows
        np.abs(off, out=off)
        votes[piece] = np.add.reduce(off < width[piece], axis=1, dtype=np.int64)
    return votes


def _circumcircles(triples: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    a, b, c = triples[:, 0], triples[:, 1], triples[:, 2]
    ab, ac = b - a, c - a
    cross = 2.0 * (ab[:, 0] * ac[:, 1] - ab[:, 1] * ac[:, 0])
    cross = np.where(np.abs(cross) < 1e-9, np.nan, cross)
    ab2, ac2 = (ab**2).sum(axis=1), (ac**2).sum(axis=1)
    offset = np.column_stack([ac[:, 1] * ab2 - ab[:, 1] * ac2, ab[:, 0] * ac2 - ac[:, 0] * ab2]) / cross[:, None]
    return a + offset, np.hypot(offset[:, 0], offset[:, 1])


def _box(bright: NDArray[np.bool_]) -> tuple[float, float, float]:
    rows, columns = np.flatnonzero(bright.mean(axis=1) > 0.05), np.flatnonzero(bright.mean(axis=0) > 0.05)
    if not len(rows) or not len(columns):
        raise ImageError("no_field_of_view", "no region stands out from the dark ground")
    center_x, center_y = (columns[0] + columns[-1] + 1) / 2, (rows[0] + rows[-1] + 1) / 2
    radius = max(columns[-1] - columns[0] + 1, rows[-1] - rows[0] + 1) / 2
    return float(center_x), float(center_y), float(radius)


def _coverage(bright: NDArray[np.bool_], center_x: float, center_y: float, radius: float) -> float:
    y, x = np.ogrid[: bright.shape[0], : bright.shape[1]]
    inside = (x + 0.5 - center_x) ** 2 + (y + 0.5 - center_y) ** 2 <= radius**2
    return float(min(1.0, (bright & inside).sum() / (np.pi * radius**2)))
