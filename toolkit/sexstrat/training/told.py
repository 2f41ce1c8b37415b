"""What a training tells while it runs: a line for each event, and after every batch how far it is."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

__all__ = ["Meter", "Step", "Told", "step_teller"]

_NAME = "sexstrat.training"
_logger = logging.getLogger(f"{_NAME}.batch")


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """How far one fit is.

    Parameters
    ----------
    network : backbone that is fitted.
    done, total : batches learned from, and those of the whole plan.
    epoch, epochs : epoch under way, from 1, and how many the plan has.
    loss : mean loss of the epoch so far.
    """

    network: str
    done: int
    total: int
    epoch: int
    epochs: int
    loss: float


Meter = Callable[[Step], None]


def step_teller(network: str, epoch: int, epochs: int) -> Any:
    """Return the Keras callback that tells of every batch of an epoch.

    Parameters
    ----------
    network : backbone that is fitted.
    epoch : epoch under way, from 0.
    epochs : epochs of the plan; each is taken to have as many batches as this one.
    """
    import keras

    def after_batch(batch: int, logs: Any = None) -> None:
        if _logger.isEnabledFor(logging.DEBUG):
            steps = observer.params["steps"] or batch + 1
            told = Step(
                network=network, done=epoch * steps + batch + 1, total=epochs * steps, epoch=epoch + 1, epochs=epochs,
                loss=float((logs or {}).get("loss", float("nan"))),
            )  # fmt: skip
            _logger.debug("batch", extra={"step": told})

    observer = keras.callbacks.LambdaCallback()
    observer.on_train_batch_end = after_batch
    return observer


class Told(logging.Handler):
    """Hand the training's log lines to the caller while a ``with`` block lasts.

    Parameters
    ----------
    tell : called with one line at a time.
    meter : called after every batch; None where nobody looks.

    Examples
    --------
    >>> with Told(print):
    ...     logging.getLogger("sexstrat.training.fit").info("epoch %d", 1)
    epoch 1
    """

    def __init__(self, tell: Callable[[str], None], meter: Meter | None = None) -> None:
        super().__init__(level=logging.INFO if meter is None else logging.DEBUG)
        self._tell, self._meter = tell, meter
        self._logger = logging.getLogger(_NAME)

    def emit(self, record: logging.LogRecord) -> None:
        """Hand over one line, or how far the fit is."""
        step = getattr(record, "step", None)
        if step is not None and self._meter is not None:
            self._meter(step)
        elif step is None and record.levelno >= logging.INFO:
            self._tell(record.getMessage())

    def __enter__(self) -> Told:
        self._before = self._logger.level
        self._logger.addHandler(self)
        self._logger.setLevel(self.level)
        return self

    def __exit__(self, *_: object) -> None:
        self._logger.removeHandler(self)
        self._logger.setLevel(self._before)
