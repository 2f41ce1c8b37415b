"""Average a network's weights over its last steps; the average is what is evaluated and kept."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from numpy.typing import NDArray

__all__ = ["RunningAverage"]

_EVERY = 4  # steps between updates, or all steps of a shorter epoch; the decay is raised to this power


class RunningAverage:
    """Exponential moving average of all weights, batch statistics included.

    Parameters
    ----------
    network : Keras model; its present weights start the average.
    decay : share of the old average that a step keeps, 0 to below 1; early steps keep less.

    References
    ----------
    Polyak BT, Juditsky AB. Acceleration of stochastic approximation by averaging. SIAM J Control Optim
    1992;30:838-855.
    """

    def __init__(self, network: Any, decay: float) -> None:
        self._network = network
        self._decay = decay
        self._updates = 0
        self.values: list[NDArray[Any]] = network.get_weights()

    def update(self, steps: int = _EVERY) -> None:
        """Move the average towards the weights after so many more steps; early updates forget the start quickly."""
        self._updates += 1
        keep = min(self._decay**steps, self._updates / (self._updates + 4.0))
        present = self._network.get_weights()
        self.values = [
            (keep * old + (1.0 - keep) * new).astype(old.dtype) for old, new in zip(self.values, present, strict=True)
        ]

    def restore(self, values: list[NDArray[Any]], updates: int) -> None:
        """Go on from an average that a checkpoint kept."""
        self.values, self._updates = values, updates

    @property
    def updates(self) -> int:
        """How often the average was updated."""
        return self._updates

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Put the average into the network for the length of a ``with`` block."""
        present = self._network.get_weights()
        self._network.set_weights(self.values)
        try:
            yield
        finally:
            self._network.set_weights(present)

    def callback(self) -> Any:
        """Return the Keras callback that updates the average every fourth step, and once in a shorter epoch."""
        import keras

        def after_batch(batch: int, logs: Any = None) -> None:
            every = min(_EVERY, observer.params["steps"] or _EVERY)
            if batch % every == every - 1:
                self.update(every)

        observer = keras.callbacks.LambdaCallback()
        observer.on_train_batch_end = after_batch
        return observer
