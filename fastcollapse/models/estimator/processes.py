"""The processes that fit the replicates of a generation."""

import itertools
import multiprocessing
import pickle
import warnings
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool

from fastcollapse.errors import InputWarning
from fastcollapse.models.estimator.user_code import Estimators, Fit, Fitted, reason, start_process

_DIED = (
    "a process of the estimators died, perhaps for lack of memory, or because a script that asks for processes has no "
    '`if __name__ == "__main__":` around what it runs'
)


class Processes:
    """Runs the fits of a generation in this process or in others.

    Parameters
    ----------
    estimators : the code of the user.
    factory_module : name of the module of the factory.
    """

    def __init__(self, estimators: Estimators, factory_module: str) -> None:
        self._estimators, self._module = estimators, factory_module
        self._n = 1
        self._pool: ProcessPoolExecutor | None = None

    def use(self, n: int) -> None:
        """Run the fits in n processes, if they can have the code; otherwise warn."""
        self._n = 1
        if n < 2:
            return
        why, here = "", "other processes cannot have the factory, "
        if multiprocessing.current_process().daemon:
            why, here = "a process of multiprocessing.Pool cannot start others", ""
        elif self._module == "__main__":
            why = "it is defined in the script or notebook itself, not in a module"
        else:
            try:
                pickle.dumps(self._estimators)
            except Exception as error:
                why = f"it cannot be pickled: {reason(error)}"
        if why:
            text = f"the estimators run in one process, not in {n}: {here}{why}"
            warnings.warn(InputWarning(text), stacklevel=2)
            return
        self._n = n

    def run(self, fits: Sequence[Fit]) -> list[Fitted]:
        """Return the results of the fits of all replicates."""
        n = min(self._n, len(fits))
        if n < 2:
            return self._estimators.run(fits)
        if self._pool is None:
            self._pool = ProcessPoolExecutor(self._n, multiprocessing.get_context("spawn"), start_process)
        bounds = [len(fits) * i // n for i in range(n + 1)]
        parts = [fits[low:high] for low, high in itertools.pairwise(bounds)]
        try:
            found = list(self._pool.map(self._estimators.run, parts))
        except BrokenProcessPool:
            self._pool = None
            empty = fits[0].points[:0]
            return [Fitted(float("nan"), empty, _DIED)]
        return [one for part in found for one in part]
