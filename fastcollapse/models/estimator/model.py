"""The estimator family: an object of the user with `fit` and `sample`, refitted to points that it generates.

What the object does is not known, so that all points are drawn. Kernels draw the real ones; the object draws the others
from seeds of the streams of the run. Each fit has a new object, and after a fit the object draws the points that the
next generation needs, so that no object outlives its generation.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from fastcollapse.config.schedule import Schedule
from fastcollapse.config.section_base import build
from fastcollapse.errors import InputError, UserCodeError
from fastcollapse.kernels.jit import current_threads
from fastcollapse.kernels.random.numpy_streams import numpy_stream
from fastcollapse.kernels.random.streams import (
    PURPOSE_DOWNSTREAM,
    PURPOSE_FIT,
    PURPOSE_FIXED_REAL,
    PURPOSE_REAL,
    PURPOSE_SUBSAMPLE,
    PURPOSE_SYNTHETIC,
    Span,
    span_of,
)
from fastcollapse.models.base import Model, ModelBlock, run_key
from fastcollapse.models.estimator.factory import import_factory, name_of
from fastcollapse.models.estimator.metrics import COVARIANCE, MEAN, METRICS, ROLES
from fastcollapse.models.estimator.parameters import EstimatorParameters
from fastcollapse.models.estimator.plan import EstimatorPlan
from fastcollapse.models.estimator.processes import Processes
from fastcollapse.models.estimator.state import EstimatorState
from fastcollapse.models.estimator.user_code import Estimators, Fit
from fastcollapse.models.kde.likelihood import truth_likelihood
from fastcollapse.models.kde.memory import check_memory
from fastcollapse.models.kde.parameters import KdeTruthSection
from fastcollapse.models.kde.real_points import RealPoints
from fastcollapse.models.kde.truth import KdeTruth
from fastcollapse.variables import SampleRows, Variable

# Target size of the recorded points of one block, in bytes.
_BLOCK_BYTES = 32_000_000
_GIVE = "give it again: model=... in Python, --factory in replay, or the experiment file in run --resume"
_EXAMPLE = "fastcollapse.models.estimator.examples:Normal"


class Estimator(Model):
    """Recursive training of an estimator of the user.

    Parameters
    ----------
    truth : the law of generation 0, as that of kernel density estimates.
    parameters : the section `[model]` with its factory, see `with_code`.
    schedule : the workflow as arrays over generations.
    record : value of `run.record`; points are recorded only with "trajectory".

    Raises
    ------
    InputError
        The parameters have no factory, its objects lack a method, or they take no weights and the workflow has some.
    """

    PARAMETERS = EstimatorParameters
    TRUTH = KdeTruthSection
    METRICS = METRICS
    ROLES = ROLES
    CAPABILITIES = frozenset(
        {
            *("pool", "subsample", "fresh_real", "fixed_real", "subsample_with_real", "pool_with_real"),
            *("weights", "real_share", "window", "discount"),
        }
    )
    EXAMPLES = (
        {
            "model": {"factory": _EXAMPLE},
            "truth": {"normal_mixture": {"weights": [1.0], "means": [0.0], "covariances": [1.0]}},
        },
    )

    def __init__(
        self, truth: KdeTruth, parameters: EstimatorParameters, schedule: Schedule, record: tuple[str, ...] = ()
    ) -> None:
        if parameters.code is None:
            raise InputError("model.factory must be given, or the estimator itself with model=..., got none")
        self._truth, self._d = truth, truth.dimension
        self._plan, self._real = EstimatorPlan(schedule), RealPoints(truth)
        self._keeps_points = "trajectory" in record
        named = set(record) - {"metrics", "trajectory"}
        self._scores = not named or "nll" in named
        estimators = Estimators(parameters.code, parameters.parameters or {})
        problem, takes_weights = estimators.problem()
        if problem:
            raise InputError(f"model.factory must make objects with fit and sample: {problem}")
        if self._plan.has_weights and not takes_weights:
            key = "weight" if schedule.weight is not None else "discount"
            raise InputError(f"workflow.{key} must be absent: the fit of {parameters.factory} takes no sample_weight")
        self._processes = Processes(estimators, name_of(parameters.code).partition(":")[0])

    @classmethod
    def with_code(
        cls,
        parameters: EstimatorParameters,
        code: Callable[..., Any] | str | None,
        may_import: bool,
        folder: Path | None,
    ) -> EstimatorParameters:
        """Return the parameters with the given factory, or with the one that they name; see `Model.with_code`."""
        if isinstance(code, str):
            code = import_factory(build(cls.PARAMETERS, {"factory": code}).factory or "", folder or Path.cwd())
        if code is not None:
            if not callable(code):
                given = f"an object of {type(code).__name__}: give its class, or a function that makes one"
                raise InputError(f"model must be a callable that returns an estimator, got {given}")
            return EstimatorParameters(name_of(code), parameters.parameters).bound(code)
        if parameters.code is not None:
            return parameters
        if parameters.factory is None:
            raise InputError("model.factory must be given, or the estimator itself with model=..., got none")
        if not may_import:
            raise InputError(
                f"model.factory {parameters.factory!r} is named by a results file, which imports no code: {_GIVE}"
            )
        return parameters.bound(import_factory(parameters.factory, folder))

    def state_variables(self) -> dict[str, Variable]:
        """Return the variables of the states and of the points."""
        points = Variable("points that the generation is fitted to", dims=("component",), ragged=True)
        return {"mean": MEAN, "covariance": COVARIANCE, "points": points}

    def truth_states(self) -> dict[str, np.ndarray]:
        """Return the truth as a state; blobs have other means in each replicate, see `generation_0`."""
        return {
            "mean": self._truth.moments(self._truth.means[None])[0][0],
            "covariance": self._truth.covariance(self._truth.means[None])[0],
        }

    def use_processes(self, n: int) -> None:
        """Fit the replicates in n processes; the numbers are the same."""
        self._processes.use(n)

    def generation_0(self, n_replicates: int, seed: int, first_replicate: int = 0) -> ModelBlock:
        """Return the block of generation 0: the truth, whose points are none."""
        state, d = self.initial(n_replicates, seed, first_replicate), self._d
        mean = np.broadcast_to(self._truth.moments(state.centres)[0], (n_replicates, d)).copy()[:, None]
        covariance = np.broadcast_to(self._truth.covariance(state.centres), (n_replicates, d, d)).copy()[:, None]
        nll = np.full((n_replicates, 1), np.nan)
        if self._scores:
            nll[:, 0] = truth_likelihood(self._truth, state.centres, state.tests, n_replicates)
        return self._block(state, {"mean": mean, "covariance": covariance}, nll, [state.points])

    def initial(self, n_replicates: int, seed: int, first_replicate: int = 0) -> EstimatorState:
        """Return the state of generation 0."""
        plan, truth, d = self._plan, self._truth, self._d
        check_memory(plan.largest, truth.n_test, d, n_replicates)
        span = self._span(seed, first_replicate)
        centres = self._real.centres(span, n_replicates)
        empty = np.zeros((n_replicates, 0, d))
        room = np.empty((n_replicates, plan.largest, d))
        state = EstimatorState(empty, empty, empty, truth.test_rows[None], centres, room)
        if not state.tests.size:
            state.tests = self._draw_real(state, span, 0, PURPOSE_DOWNSTREAM, truth.n_test)
        if plan.n_fixed:
            state.fixed = self._draw_real(state, span, 0, PURPOSE_FIXED_REAL, plan.n_fixed)
        return state

    def restore(
        self, arrays: Mapping[str, np.ndarray], n_replicates: int, seed: int, first_replicate: int = 0
    ) -> EstimatorState:
        """Return the state saved as `arrays`; the next generation fits its points again, to sample from the fit."""
        state = self.initial(n_replicates, seed, first_replicate)
        state.restore(arrays)
        return state

    def sample_bytes(self) -> int:
        """Return the bytes of the points of the largest fit, if points are recorded."""
        return 8 * self._d * self._plan.largest_fit if self._keeps_points else 0

    def block_length(self, state: EstimatorState, max_generations: int) -> int:
        """Return the length of the next block, 1..max_generations generations."""
        n_bytes = 8 * len(state.pool) * self._d * self._plan.largest if self._keeps_points else 1
        return max(1, min(max_generations, _BLOCK_BYTES // max(n_bytes, 1)))

    def advance(
        self, state: EstimatorState, first: int, n_generations: int, seed: int, first_replicate: int = 0
    ) -> ModelBlock:
        """Run `n_generations` generations from `first` on, update `state` and return the block."""
        shape, d = (len(state.pool), n_generations), self._d
        states = {"mean": np.empty((*shape, d)), "covariance": np.empty((*shape, d, d))}
        nll, kept = np.full(shape, np.nan), []
        for step in range(n_generations):
            t = first + step
            pool, points = self._draw(state, t, seed, first_replicate)
            weights = self._plan.weights(t, pool.shape[1])
            score, samples = self._fit(state, points, weights, t, seed, first_replicate)
            state.pool, state.points, state.samples = pool, points, samples
            nll[:, step] = -score
            shares = np.full(points.shape[1], 1 / points.shape[1]) if weights is None else weights / len(weights)
            mean = np.einsum("n,rnd->rd", shares, points)
            gap = points - mean[:, None]
            states["mean"][:, step] = mean
            states["covariance"][:, step] = np.einsum("n,rni,rnj->rij", shares, gap, gap)
            if self._keeps_points:
                kept.append(points)
        return self._block(state, states, nll, kept)

    def _draw(self, state: EstimatorState, t: int, seed: int, first_replicate: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the pool and the points of the fit of generation t; the state stays as it is."""
        plan, schedule, span = self._plan, self._plan.schedule, self._span(seed, first_replicate)
        n, n_real, n_replicates = int(schedule.n_synthetic[t - 1]), int(schedule.n_real[t - 1]), len(state.pool)
        synthetic = np.zeros((n_replicates, 0, self._d))
        if n and not state.points.shape[1]:  # generation 0 is the truth
            synthetic = self._draw_real(state, span, t, PURPOSE_SYNTHETIC, n)
        elif n:
            synthetic = self._again(state, t, seed, first_replicate) if state.samples is None else state.samples
        if schedule.real_share is not None:
            synthetic = self._mixed(state, synthetic, float(schedule.real_share[t - 1]), t, span)
        real = np.zeros((n_replicates, 0, self._d))
        if n_real:
            real = state.fixed if plan.n_fixed else self._draw_real(state, span, t, PURPOSE_REAL, n_real)
        n_kept = plan.n_kept(t)
        kept = state.pool[:, state.pool.shape[1] - n_kept :]
        pool = np.concatenate([kept, synthetic] if plan.is_beside else [kept, synthetic, real], axis=1)
        points = np.concatenate([pool, real], axis=1) if plan.is_beside else pool
        n_train = int(schedule.n_train[t - 1])
        if n_train:
            chosen = [
                numpy_stream(seed, first_replicate + r, t, PURPOSE_SUBSAMPLE).choice(
                    points.shape[1], n_train, bool(schedule.replacement)
                )
                for r in range(n_replicates)
            ]
            points = np.take_along_axis(points, np.array(chosen)[:, :, None], axis=1)
        return pool, points

    def _again(self, state: EstimatorState, t: int, seed: int, first_replicate: int) -> np.ndarray:
        """Return the points that generation t needs, after a resume: the fit before is computed again."""
        weights = self._plan.weights(t - 1, state.pool.shape[1])
        _, samples = self._fit(state, state.points, weights, t - 1, seed, first_replicate, False)
        assert samples is not None
        return samples

    def _mixed(self, state: EstimatorState, synthetic: np.ndarray, share: float, t: int, span: Span) -> np.ndarray:
        """Return the points of a generation, each of which is real with probability `share`.

        An estimator may return its points in an order, as `GaussianMixture` by component, so real ones replace any.
        """
        seed, first = int(span.seed), int(span.first_replicate)
        is_real = np.array(
            [
                numpy_stream(seed, first + r, t, PURPOSE_SUBSAMPLE).random(synthetic.shape[1]) < share
                for r in range(len(synthetic))
            ]
        )
        drawn = np.empty_like(synthetic)
        source = self._real.source(state.centres)
        self._real.draw_real(source, span, t, np.uint64(PURPOSE_REAL), is_real.sum(axis=1), drawn)
        mixed = synthetic.copy()
        for r, here in enumerate(is_real):
            mixed[r, here] = drawn[r, : here.sum()]
        return mixed

    def _fit(
        self,
        state: EstimatorState,
        points: np.ndarray,
        weights: np.ndarray | None,
        t: int,
        seed: int,
        first_replicate: int,
        scores: bool = True,
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """Fit the points of generation t and draw the sample that generation t + 1 needs.

        Returns
        -------
        scores : mean log density of the held-out points, float64 (R).
        samples : float64 (R, n, d); None after the last generation.

        Raises
        ------
        UserCodeError
            The code of the user failed.
        """
        n_generations = self._plan.schedule.n_generations
        n_next = int(self._plan.schedule.n_synthetic[t]) if t < n_generations else 0
        fits = [
            Fit(
                points[r],
                weights,
                (seed, first_replicate + r, t, PURPOSE_FIT),
                (seed, first_replicate + r, t + 1, PURPOSE_SYNTHETIC),
                state.tests[min(r, len(state.tests) - 1)] if scores and self._scores else None,
                n_next,
            )
            for r in range(len(points))
        ]
        found = self._processes.run(fits)
        for r, one in enumerate(found):
            if one.failure:
                where = f"replicate {first_replicate + r} at generation {t}"
                raise UserCodeError(f"the estimator of {where}: {one.failure}", t)
        samples = np.array([one.sample for one in found]) if n_next else None
        return np.array([one.score for one in found]), samples

    def _draw_real(self, state: EstimatorState, span: Span, t: int, purpose: int, n: int) -> np.ndarray:
        """Return n real points of each replicate, float64 (R, n, d)."""
        found = np.empty((len(state.pool), n, self._d))
        counts = np.full(len(found), n)
        self._real.draw_real(self._real.source(state.centres), span, t, np.uint64(purpose), counts, found)
        return found

    def _block(
        self, state: EstimatorState, states: dict[str, np.ndarray], nll: np.ndarray, points: list[np.ndarray]
    ) -> ModelBlock:
        """Return the block of some generations, of which `points` has those of each fit."""
        n_replicates, samples = len(nll), {}
        if self._keeps_points:
            sizes = np.concatenate([[0], *(np.full(n_replicates, one.shape[1]) for one in points)])
            values = np.concatenate([one.reshape(-1, self._d) for one in points])
            samples["points"] = SampleRows(np.cumsum(sizes).astype(np.int64), values)
        mean = np.broadcast_to(self._truth.moments(state.centres)[0], (n_replicates, self._d))[:, None]
        return ModelBlock(states, samples, metrics={"nll": nll}, quantities={**states, "mean_of_truth": mean})

    @staticmethod
    def _span(seed: int, first_replicate: int) -> Span:
        return span_of(run_key(seed, first_replicate), 0, 0, current_threads())


MODEL = Estimator
