"""The kernel density family: density estimates with normal kernels, refitted to points that they generate.

A new point is a random point of the fit plus a normal step, and no statistic of the points is sufficient: they are the
state. Kernels run over replicates, and over parts of the points or of the held-out points; a generation costs enough
that they are called for each.
"""

import dataclasses
from collections.abc import Mapping

import numpy as np

from fastcollapse.config.sampling import Sampling
from fastcollapse.config.schedule import Schedule
from fastcollapse.errors import InputError, InputWarning
from fastcollapse.kernels.density.moments import add_moments, covariances, factorise
from fastcollapse.kernels.jit import current_threads
from fastcollapse.kernels.random.streams import (
    PURPOSE_DOWNSTREAM,
    PURPOSE_FIXED_REAL,
    Span,
    span_of,
)
from fastcollapse.models.base import Model, ModelBlock, run_key
from fastcollapse.models.kde.errors import Errors
from fastcollapse.models.kde.held_out import in_boxes
from fastcollapse.models.kde.likelihood import Likelihood, truth_likelihood
from fastcollapse.models.kde.memory import check_memory
from fastcollapse.models.kde.metrics import METRICS, ROLES
from fastcollapse.models.kde.parameters import KdeParameters, KdeTruthSection
from fastcollapse.models.kde.plan import KdePlan
from fastcollapse.models.kde.sampler import Sampler
from fastcollapse.models.kde.state import KdeState, Rows
from fastcollapse.models.kde.truth import KdeTruth
from fastcollapse.variables import Metric, SampleRows, Variable

# Target size of the recorded points of one block, in bytes.
_BLOCK_BYTES = 32_000_000
# A pool of this size is named before the run.
_NAMED_BYTES = 4_000_000
_FIXED, _TEST = np.uint64(PURPOSE_FIXED_REAL), np.uint64(PURPOSE_DOWNSTREAM)


class Kde(Model):
    """Recursive training of a kernel density estimate.

    Parameters
    ----------
    truth : the law of generation 0, see `KdeTruth`.
    parameters : the bandwidth.
    schedule : the workflow as arrays over generations.
    record : value of `run.record`; metrics that are not recorded are not computed, and points only with "trajectory".

    Raises
    ------
    InputError
        The bandwidth is incompatible with the schedule, or a metric with the dimension.

    References
    ----------
    Kazdan et al., arXiv:2410.16713, section 3 (published settings). Samplers and sums: derived, see the kernels.
    """

    PARAMETERS = KdeParameters
    TRUTH = KdeTruthSection
    METRICS = METRICS
    ROLES = ROLES
    CAPABILITIES = frozenset(
        {
            *("pool", "subsample", "fresh_real", "fixed_real", "subsample_with_real", "pool_with_real"),
            *("weights", "real_share", "window"),
        }
    )
    EXAMPLES = (
        {"model": {"bandwidth": 0.3}, "truth": {"shape": "blobs"}},
        {"model": {"bandwidth": "scaled"}, "truth": {"shape": "circles"}},
        {
            "model": {"bandwidth": 0.3, "observed": [1]},
            "truth": {"shape": "moons"},
            "workflow": {"name": "replace"},
        },
        {
            "model": {"bandwidth": 0.3},
            "truth": {"normal_mixture": {"weights": [1.0], "means": [0.0], "covariances": [1.0]}},
            "run": {"record": ["nll", "ise", "w1", "mmd"]},
        },
    )

    def __init__(
        self, truth: KdeTruth, parameters: KdeParameters, schedule: Schedule, record: tuple[str, ...] = ()
    ) -> None:
        self._truth, self._d = truth, truth.dimension
        self._plan = KdePlan(parameters, schedule, truth.dimension)
        named = set(record) - {"metrics", "trajectory"}
        self._computed = named or {name for name, metric in METRICS.items() if not metric.on_request}
        if "w1" in named and self._d > 1:
            raise InputError(f"run.record must not have w1 in {self._d} dimensions: it is a distance on a line")
        self._keeps_points = "trajectory" in record
        self._sampler = Sampler(self._plan, truth)
        self._likelihood = Likelihood(self._plan, self._d)
        self._errors = Errors(self._plan, truth, self._computed)

    @classmethod
    def available_metrics(cls, parameters: KdeParameters, sampling: Sampling | None = None) -> dict[str, Metric]:
        """Return the metrics of a run, of which none has values at generations that are not observed."""
        if parameters.observed is None:
            return dict(METRICS)
        return {
            name: dataclasses.replace(metric, variable=dataclasses.replace(metric.variable, missing=True))
            for name, metric in METRICS.items()
        }

    def length_settings(self, n_generations: int) -> tuple[bool | bytes | float, ...]:
        """Return the bandwidths, the generations with values, and the nodes of characteristic functions."""
        return (*self._plan.settings(n_generations), *self._errors.nodes)

    def state_variables(self) -> dict[str, Variable]:
        """Return the variables of the states and of the points."""
        missing = not self._plan.observed.all()
        return {
            "mean": Variable("mean of the points", dims=("component",), missing=missing),
            "variance": Variable("variance of the points, divisor N", dims=("component",), missing=missing),
            "points": Variable("points that the generation is fitted to", dims=("component",), ragged=True),
        }

    def truth_states(self) -> dict[str, np.ndarray]:
        """Return the truth as a state; blobs have other means in each replicate, see `generation_0`."""
        mean, variance = self._truth.moments(self._truth.means[None])
        return {"mean": mean[0], "variance": variance[0]}

    def warnings(self) -> list[Warning]:
        """Return the size of a large pool, and the number of generations without some metrics."""
        plan, found = self._plan, []
        n_bytes = 8 * self._d * int(plan.n_points.max())
        if plan.n_kept.any() and n_bytes >= _NAMED_BYTES:
            found.append(f"the pool of each replicate grows to {n_bytes / 1e6:,.0f} MB")
        if "nll" in self._computed and (plan.observed & ~plan.evaluated).any():
            found.append(
                f"nll is evaluated at {plan.evaluated.sum()} of {len(plan.evaluated):,} generations: the bandwidth "
                "changes while the pool grows, so that each evaluation costs the whole pool"
            )
        return [InputWarning(text) for text in [*found, *self._errors.warnings()]]

    def generation_0(self, n_replicates: int, seed: int, first_replicate: int = 0) -> ModelBlock:
        """Return the block of generation 0: the truth, whose points are none."""
        state = self._start(n_replicates, seed, first_replicate, {})
        mean, variance = (
            np.broadcast_to(moment, (n_replicates, self._d)).copy()[:, None]
            for moment in self._truth.moments(state.centres)
        )
        zero = 0.0 if self._truth.has_density else np.nan
        metrics = {name: np.full((n_replicates, 1), zero) for name in ("ise", "w1", "mmd")}
        if self._d > 1:
            metrics["w1"] = np.full((n_replicates, 1), np.nan)
        metrics["nll"] = np.full((n_replicates, 1), np.nan)
        if "nll" in self._computed:
            metrics["nll"][:, 0] = truth_likelihood(self._truth, state.centres, state.tests, n_replicates)
        samples = {"points": SampleRows(np.zeros(n_replicates + 1, np.int64), np.zeros((0, self._d)))}
        states = {"mean": mean, "variance": variance}
        return ModelBlock(states, samples, metrics=metrics, quantities={**states, "mean_of_truth": mean.copy()})

    def initial(self, n_replicates: int, seed: int, first_replicate: int = 0) -> KdeState:
        """Return the state of generation 0."""
        plan = self._plan
        largest = {
            "points": int(plan.n_points.max()),
            "chosen": int(plan.schedule.n_train.max()),
            "beside": int(plan.schedule.n_real.max()) if plan.is_beside else 0,
            "batch": int(plan.n_batch.max()),
            "real": plan.n_fixed,
        }
        check_memory(sum(largest.values()), self._truth.n_test, self._d, n_replicates)
        return self._start(n_replicates, seed, first_replicate, largest)

    def _start(self, n_replicates: int, seed: int, first_replicate: int, sizes: Mapping[str, int]) -> KdeState:
        """Return the state of generation 0 with room for points."""
        plan, truth, d = self._plan, self._truth, self._d
        span = self._span(0, seed, first_replicate)
        centres = self._sampler.centres(span, n_replicates)
        source = self._sampler.source(centres)
        tests = truth.test_rows[None]
        if not tests.size:
            tests = np.empty((n_replicates, truth.n_test, d))
            self._sampler.draw_real(source, span, 0, _TEST, np.full(n_replicates, truth.n_test), tests)
        rows = {
            name: np.zeros((n_replicates, sizes.get(name, 0), d)) for name in ("points", "chosen", "beside", "batch")
        }
        real = np.zeros((n_replicates, sizes.get("real", 0), d))
        if real.size:
            self._sampler.draw_real(source, span, 0, _FIXED, np.full(n_replicates, plan.n_fixed), real)
            rows["beside"][:, : real.shape[1]] = real[:, : rows["beside"].shape[1]]
        running = {}
        if plan.starts.any():
            running = {"mean_sum": np.zeros((n_replicates, d)), "square_sum": np.zeros((n_replicates, d))}
        tests, fixed_sums = in_boxes(tests), None
        if "nll" in self._computed:
            running |= self._likelihood.sums(n_replicates, truth.n_test)
            if real.size:
                fixed_sums = self._likelihood.fixed_sums(real, tests, span.n_threads)
        running |= self._errors.sums(n_replicates)
        batch = rows.pop("batch")
        return KdeState(
            **{name: Rows(values) for name, values in rows.items()},
            batch=batch,
            real=real,
            tests=tests,
            centres=centres,
            factors=np.zeros((n_replicates if plan.is_scaled else 0, d, d)),
            fixed_sums=fixed_sums,
            running=running,
            is_beside_saved=not plan.n_fixed,
        )

    def restore(
        self, arrays: Mapping[str, np.ndarray], n_replicates: int, seed: int, first_replicate: int = 0
    ) -> KdeState:
        """Return the state saved as `arrays`."""
        state = self.initial(n_replicates, seed, first_replicate)
        state.restore(arrays)
        return state

    def sample_bytes(self) -> int:
        """Return the bytes of the points of the largest fit, if points are recorded."""
        return 8 * self._d * int(self._plan.n_fitted.max()) if self._keeps_points else 0

    def block_length(self, state: KdeState, max_generations: int) -> int:
        """Return the length of the next block, 1..max_generations generations."""
        if not self._keeps_points:
            return max_generations
        n_bytes = len(state.points.values) * self.sample_bytes()
        return max(1, min(max_generations, _BLOCK_BYTES // max(n_bytes, 1)))

    def advance(
        self, state: KdeState, first: int, n_generations: int, seed: int, first_replicate: int = 0
    ) -> ModelBlock:
        """Run `n_generations` generations from `first` on, update `state` and return the block."""
        shape = (len(state.points.values), n_generations)
        states = {name: np.full((*shape, self._d), np.nan) for name in ("mean", "variance")}
        metrics = {name: np.full(shape, np.nan) for name, metric in METRICS.items() if metric.function is None}
        source, span = self._sampler.source(state.centres), self._span(first, seed, first_replicate)
        if self._plan.is_beside and first > 1:  # a fixed set is not saved, nor whether it is in use
            state.beside.n = int(self._plan.schedule.n_real[first - 2])
        kept: list[np.ndarray] = []
        for step in range(n_generations):
            t = first + step
            if not self._plan.observed[t - 1]:
                kept.append(np.empty((shape[0], 0, self._d)))
                continue
            self._sampler.draw(state, source, span, t)
            states["mean"][:, step], states["variance"][:, step] = self._moments(state, t, span.n_threads)
            if "nll" in self._computed and self._plan.evaluated[t - 1]:
                metrics["nll"][:, step] = self._likelihood.evaluate(state, t, span.n_threads)
            for name, values in self._errors.evaluate(state, t, states["mean"][:, step], span.n_threads).items():
                metrics[name][:, step] = values
            if self._keeps_points:
                kept.append(self._fitted_points(state))
        mean = np.broadcast_to(self._truth.moments(state.centres)[0], (shape[0], self._d))[:, None]
        return ModelBlock(
            states, _sample_rows(kept if self._keeps_points else [], shape[0], self._d), metrics=metrics,
            quantities={**states, "mean_of_truth": mean},
        )  # fmt: skip

    def _moments(self, state: KdeState, t: int, n_threads: int) -> tuple[np.ndarray, np.ndarray]:
        """Return mean and variance of the fit, float64 (R, d) each; with a scaled bandwidth, set the factors."""
        plan, rows, start = self._plan, state.fitted, int(self._plan.starts[t - 1])
        shape = (len(rows.values), self._d)
        weight, real_weight = plan.weights(t)
        mean, squares = state.running.get("mean_sum", np.zeros(shape)), state.running.get("square_sum", np.zeros(shape))
        centre, variance = np.zeros(shape), np.zeros(shape)
        if rows.n:
            add_moments(rows.values, start, rows.n, n_threads, mean, squares)
            centre, variance = mean.copy(), squares / rows.n
        if state.beside.n:
            own, own_squares = np.empty(shape), np.empty(shape)
            add_moments(state.beside.values, 0, state.beside.n, n_threads, own, own_squares)
            gap = own - centre
            variance = weight * variance + real_weight * (own_squares / state.beside.n + weight * gap * gap)
            centre = weight * centre + real_weight * own
        if plan.is_scaled:
            both = np.empty((*shape, self._d))
            covariances(self._fitted_points(state), self._n_fitted(state), centre, n_threads, both)
            factorise(plan.bandwidths[t - 1] ** 2 * both, state.factors)
        return centre, variance

    def _fitted_points(self, state: KdeState) -> np.ndarray:
        """Return all points of the fit, float64 (R, N, d)."""
        rows = state.fitted.values[:, : state.fitted.n]
        return np.concatenate([rows, state.beside.values[:, : state.beside.n]], axis=1)

    def _n_fitted(self, state: KdeState) -> int:
        return state.fitted.n + state.beside.n

    @staticmethod
    def _span(first: int, seed: int, first_replicate: int) -> Span:
        return span_of(run_key(seed, first_replicate), first, 0, current_threads())


def _sample_rows(kept: list[np.ndarray], n_replicates: int, dimension: int) -> dict[str, SampleRows]:
    """Return the recorded points of the generations of a block."""
    if not kept:
        return {}
    sizes = np.concatenate([[0], *(np.full(n_replicates, points.shape[1]) for points in kept)])
    values = np.concatenate([points.reshape(-1, dimension) for points in kept])
    return {"points": SampleRows(np.cumsum(sizes).astype(np.int64), values)}


MODEL = Kde
