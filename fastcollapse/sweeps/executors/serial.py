"""Serial executor: this process runs one task after the other."""

from collections.abc import Callable, Iterable, Iterator

from fastcollapse.sweeps.executors.base import Executor, Result, Task


class SerialExecutor(Executor):
    """Run tasks in this process, one after the other.

    Parameters
    ----------
    threads : threads of parallel kernels; None for all cores.
    """

    n_workers = 1

    def __init__(self, threads: int | None = None) -> None:
        self.threads = threads

    def map(self, function: Callable[[Task, int | None], Result], tasks: Iterable[Task]) -> Iterator[Result]:
        """Yield the results in the order of the tasks."""
        return (function(task, self.threads) for task in tasks)
