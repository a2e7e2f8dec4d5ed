"""Calls of the code of the user: one fit, its score, and the sample for the next generation.

It is imported in other processes, so it imports no compiled kernels.
"""

import functools
import inspect
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from threadpoolctl import ThreadpoolController

from fastcollapse.kernels.random.numpy_streams import numpy_stream

_SEEDS = 2**32


class Fit(NamedTuple):
    """One fit of a replicate.

    Parameters
    ----------
    points : float64 (N, d).
    weights : float64 (N), with mean 1; None where all are equal.
    fit_stream, sample_stream : names of the streams of the fit and of the sample, as `numpy_stream` takes them.
    tests : held-out points, float64 (M, d); None for no score.
    n_next : size of the sample, 0 for none.
    """

    points: np.ndarray
    weights: np.ndarray | None
    fit_stream: tuple[int, int, int, int]
    sample_stream: tuple[int, int, int, int]
    tests: np.ndarray | None
    n_next: int


class Fitted(NamedTuple):
    """The result of a fit.

    Parameters
    ----------
    score : mean log density of the held-out points; NaN without `score_samples`.
    sample : float64 (n_next, d).
    failure : what failed, or "".
    """

    score: float
    sample: np.ndarray
    failure: str = ""


class Estimators:
    """Makes, fits and samples estimators.

    Parameters
    ----------
    factory : returns a new estimator.
    arguments : arguments of the factory.
    """

    def __init__(self, factory: Callable[..., Any], arguments: Mapping[str, Any]) -> None:
        self._factory, self._arguments = factory, dict(arguments)

    def problem(self) -> tuple[str, bool]:
        """Return why an estimator cannot be used, or "", and whether its fit takes weights."""
        try:
            estimator = self._factory(**self._arguments)
        except Exception as error:
            return f"the factory failed: {reason(error)}", False
        for name in ("fit", "sample"):
            if not callable(getattr(estimator, name, None)):
                return f"{type(estimator).__name__} must have a method {name}", False
        if not _arguments_of(estimator.sample) & {"rng", "random_state"} and not _has_random_state(estimator):
            wanted = "sample must take rng or random_state, or the estimator must have a random_state"
            return f"{wanted}: without a seed its points could not be drawn again", False
        return "", "sample_weight" in _arguments_of(estimator.fit)

    def run(self, fits: Sequence[Fit]) -> list[Fitted]:
        """Return the results of fits; an error of the code of the user is one of them."""
        with _libraries(len(sys.modules)).limit(limits=1):  # sums depend on the number of threads
            return [self._run(fit) for fit in fits]

    def _run(self, fit: Fit) -> Fitted:
        step, nothing = "factory", np.empty((0, fit.points.shape[1]))
        try:
            estimator = self._factory(**self._arguments)
            step = "fit"
            weights = {} if fit.weights is None else {"sample_weight": fit.weights}
            estimator.fit(fit.points.copy(), **weights, **_seeded(estimator, estimator.fit, fit.fit_stream))
            score = np.nan
            if fit.tests is not None and callable(getattr(estimator, "score_samples", None)):
                step = "score_samples"
                score = float(np.mean(estimator.score_samples(fit.tests.copy())))
                if np.isnan(score):
                    return Fitted(np.nan, nothing, "score_samples has values that are not numbers")
            if not fit.n_next:
                return Fitted(score, nothing)
            step = "sample"
            drawn = estimator.sample(fit.n_next, **_seeded(estimator, estimator.sample, fit.sample_stream))
            drawn = np.array(drawn[0] if isinstance(drawn, tuple) else drawn, np.float64)
        except Exception as error:
            return Fitted(np.nan, nothing, f"{step} failed: {reason(error)}")
        wanted = (fit.n_next, fit.points.shape[1])
        if drawn.shape != wanted:
            return Fitted(np.nan, nothing, f"sample({fit.n_next}) must have shape {wanted}, got {drawn.shape}")
        if not np.isfinite(drawn).all():
            return Fitted(np.nan, nothing, f"sample({fit.n_next}) has values that are not finite")
        return Fitted(score, drawn)


def _seeded(estimator: Any, method: Callable[..., Any], stream: tuple[int, int, int, int]) -> dict[str, Any]:
    """Give an estimator the random numbers of a call: an argument of the method, or else its `random_state`."""
    names = _arguments_of(method)
    if "rng" in names:
        return {"rng": numpy_stream(*stream)}
    if "random_state" not in names and not _has_random_state(estimator):
        return {}
    seed = int(numpy_stream(*stream).integers(_SEEDS))
    if "random_state" in names:
        return {"random_state": seed}
    if callable(getattr(estimator, "set_params", None)):
        estimator.set_params(random_state=seed)
    else:
        estimator.random_state = seed
    return {}


def _has_random_state(estimator: Any) -> bool:
    if callable(getattr(estimator, "get_params", None)):
        return "random_state" in estimator.get_params(deep=False)
    return hasattr(estimator, "random_state")


def _arguments_of(method: Any) -> frozenset[str]:
    """Return the names of the arguments of a method; none for one without a signature."""
    return _names(getattr(method, "__func__", method))


@functools.lru_cache(maxsize=64)
def _names(function: Callable[..., Any]) -> frozenset[str]:
    try:
        return frozenset(inspect.signature(function).parameters)
    except (TypeError, ValueError):
        return frozenset()


def reason(error: BaseException) -> str:
    """Return an exception as one line."""
    return " ".join(f"{type(error).__name__}: {error}".split()).rstrip(": ")


@functools.lru_cache(maxsize=1)
def _libraries(n_modules: int) -> ThreadpoolController:
    """Return the controller of the loaded libraries, which takes 4 ms to find; a new module may load another."""
    return ThreadpoolController()


def start_process() -> None:
    """Leave Ctrl-C to the process that waits for the results."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
