"""The planes in which a run of many neurons can be seen as a path.

One is that of the potentials of two neurons, with the flow in which they are while all others are
held; the other is spanned by the first two principal components of the potentials, the plane that
keeps most of their variance (Pearson, Phil. Mag. 2, 559, 1901).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import torch
from skimage.measure import find_contours
from sklearn.decomposition import PCA

ARROWS = (15, 12)  # columns and rows of arrows
_FINE = 120  # points along each side of the grid on which nullclines are found
Box = tuple[float, float, float, float]  # left, right, low, high


class Flow(NamedTuple):
    """How two potentials move at each point of their plane, the other neurons held."""

    points: np.ndarray  # [n, 2], where the arrows begin
    rates: np.ndarray  # [n, 2], per time unit
    nullclines: tuple[list[np.ndarray], list[np.ndarray]]  # of each; lines [k, 2] where it rests


class Components(NamedTuple):
    """The plane of the first two principal components."""

    mean: np.ndarray  # [m]
    axes: np.ndarray  # [2, m], of unit length
    explained: np.ndarray  # [2], part of the variance of the m neurons, 0..1

    def place(self, values: np.ndarray) -> np.ndarray:
        """Where potentials [n, m] are in the plane, [n, 2]."""
        return (values - self.mean) @ self.axes.T


def flow(system: Any, state: Any, pair: tuple[int, int], box: Box) -> Flow | None:
    """The flow of a pair of neurons in a box of their plane; None: the system does not know it."""
    points = _grid(box, *ARROWS, inside=True)
    rates = _rates(system, state, pair, points)
    if rates is None:
        return None
    fine = _rates(system, state, pair, _grid(box, _FINE, _FINE)).reshape(_FINE, _FINE, 2)
    return Flow(points, rates, tuple(_zero_lines(fine[..., i], box) for i in (0, 1)))


def _rates(system: Any, state: Any, pair: tuple[int, int], points: np.ndarray) -> Any:
    found = system.flow(state, pair, torch.from_numpy(points))
    return None if found is None else found.cpu().double().numpy()


def _grid(box: Box, columns: int, rows: int, inside: bool = False) -> np.ndarray:
    """Points row by row from below, [rows · columns, 2]: from edge to edge, or centres of cells."""
    left, right, low, high = box
    across, up = (
        (np.arange(n) + 0.5) / n if inside else np.linspace(0, 1, n) for n in (columns, rows)
    )
    x, y = np.meshgrid(left + across * (right - left), low + up * (high - low))
    return np.column_stack([x.ravel(), y.ravel()])


def _zero_lines(values: np.ndarray, box: Box) -> list[np.ndarray]:
    """Lines [k, 2] of x and y along which a function on the fine grid changes its sign."""
    left, right, low, high = box
    scale = np.array([right - left, high - low]) / (_FINE - 1)
    return [line[:, ::-1] * scale + (left, low) for line in find_contours(values, 0.0)]


def principal_plane(values: np.ndarray) -> Components:
    """The first two principal components of potentials [n, m] at n instants.

    The path goes from left to right, and its largest excursion is upwards.

    Raises:
        ValueError: fewer than 3 instants or 2 neurons, or a value that is not finite.
    """
    if len(values) < 3 or values.shape[1] < 2:
        raise ValueError(f"two components need 3 instants of 2 neurons, got {list(values.shape)}")
    values = np.asarray(values, float)
    if np.ptp(values, axis=0).max() == 0:  # nothing has moved
        return Components(values[0], np.eye(2, values.shape[1]), np.zeros(2))
    fitted = PCA(2, svd_solver="full").fit(values)
    axes = fitted.components_.copy()
    across, up = fitted.transform(values).T
    axes[0] *= -1 if across[-1] < across[0] else 1
    axes[1] *= -1 if abs(up.min()) > abs(up.max()) else 1
    return Components(fitted.mean_, axes, fitted.explained_variance_ratio_)


def strongest_rival(system: Any, state: Any, neuron: int) -> int | None:
    """Who acts most on a neuron in the next step; None: nobody does, or it is not known."""
    account = system.account(state, neuron)
    rivals = [part.neuron for part in account.parts if part.neuron is not None] if account else []
    return rivals[0] if rivals else None
