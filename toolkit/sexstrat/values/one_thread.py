"""Do linear algebra on one thread: the same bytes on every machine, and no threads that wait for one another."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["one_thread"]


@contextmanager
def one_thread() -> Iterator[None]:
    """Keep the linear algebra of the block on one thread.

    A product summed on two threads is rounded otherwise than on one, so that results would depend on the cores of the
    machine; and the matrices of a study are so small that on a busy machine threads mostly wait. Databases and
    networks keep their own threads.

    Examples
    --------
    >>> from threadpoolctl import threadpool_info
    >>> with one_thread():
    ...     {library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"}
    {1}
    """
    import scipy.linalg  # noqa: F401 - loads the libraries that are to be limited: numpy's and scipy's own
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    with threadpool_limits(limits=1, user_api="blas"):
        yield
