"""Linear regressions fitted to samples that the last one labelled, and predictors trained on what they label."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

import numpy as np

from fastcollapse.config.schedule import Schedule
from fastcollapse.models.base import ArrayModel, ModelBlock, restore_arrays, run_key
from fastcollapse.models.ridge.downstream import Predictor
from fastcollapse.models.ridge.generators import ChainState, chain_of
from fastcollapse.models.ridge.infinite_moments import heavy_tails
from fastcollapse.models.ridge.metrics import METRICS, available, metrics_of
from fastcollapse.models.ridge.parameters import RidgeParameters
from fastcollapse.models.ridge.truth import Regression, RidgeTruth
from fastcollapse.variables import Coordinate, Metric, Variable


class Ridge(ArrayModel):
    """Recursive training of a linear regression.

    Generation t is fitted to inputs x of covariance Sigma with labels x'w + noise, w the weights of generation t - 1;
    those of generation 0 are the true w0. With a predictor downstream, fresh samples labelled by generation t are
    fitted once more, with each ridge of a grid.

    Parameters
    ----------
    truth: covariance, true weights and law of the inputs
    parameters: designs, noise, ridge, sampler, what is followed, downstream
    schedule: the workflow as arrays over generations
    record: what a run records; the three parts of the test error, and weights in other coordinates, take time only
        where they are

    Raises
    ------
    InputError
        The parameters want what the truth or the schedule does not allow.

    References
    ----------
    Dohmatob, Feng, Kempe, arXiv:2402.07712; Gerstgrasser et al., arXiv:2404.01413. The samplers: derived, see the
    kernels."""

    PARAMETERS = RidgeParameters
    TRUTH = RidgeTruth
    METRICS = METRICS
    CAPABILITIES = frozenset({"pool", "subsample", "fresh_real", "fixed_real"})

    def __init__(self, truth: Regression, parameters: RidgeParameters, schedule: Schedule, record: tuple = ()) -> None:
        self._truth, self._parameters = truth, parameters
        self._schedule = schedule
        self._keeps_states = "trajectory" in record
        self._overlaps = parameters.follow == "overlaps"
        self._chain = chain_of(truth, parameters, schedule)
        self._downstream = None
        if parameters.downstream is not None:
            self._downstream = Predictor(truth, parameters, len(schedule.n_synthetic), record)

    def state_variables(self) -> dict[str, Variable]:
        """Return what the states are."""
        if self._overlaps:
            return {
                "overlap": Variable("product of the weights and the true ones"),
                "squared_norm": Variable("square of the norm of the weights"),
            }
        return {"weights": Variable("weights", dims=("component",))}

    def coordinates(self) -> dict[str, Coordinate]:
        """Return the truth in the basis of the eigenvectors, and the axes of the predictor."""
        axes = {} if self._downstream is None else self._downstream.coordinates()
        return {
            "spectrum": Coordinate(self._truth.spectrum, "eigenvalues of the covariance of the inputs"),
            "w0": Coordinate(self._truth.weights, "true weights in the basis of the eigenvectors"),
            **axes,
        }

    def truth_states(self) -> dict[str, np.ndarray]:
        """Return the truth as a state."""
        return {name: values[0, 0] for name, values in self._block(self._start(1)[:, None]).states.items()}

    def generation_0(self, n_replicates: int, seed: int, first_replicate: int = 0) -> ModelBlock:
        """Return the block of generation 0: a predictor is trained on the labels of the truth too."""
        now = self._start(n_replicates)[:, None]
        return self._block(now, self._predictor(now, 0, seed, first_replicate))

    def initial(self, n_replicates: int, seed: int, first_replicate: int = 0) -> ChainState:
        """Return the state of generation 0."""
        return self._chain.initial(self._start(n_replicates), seed, first_replicate)

    def restore(
        self, arrays: Mapping[str, np.ndarray], n_replicates: int, seed: int, first_replicate: int = 0
    ) -> ChainState:
        """Return the state whose arrays these are."""
        state = self.initial(n_replicates, seed, first_replicate)
        restore_arrays(arrays, state, "" if state.n_kept is None else "labels")
        return state

    def generation_bytes(self, state: ChainState) -> int:
        """Return the bytes of the states of one generation, and of what is trained on its labels."""
        n_numbers = 0 if self._downstream is None else self._downstream.n_numbers
        return 8 * (state.now.size + len(state.now) * n_numbers)

    @classmethod
    def available_metrics(cls, parameters: RidgeParameters) -> dict[str, Metric]:
        """Return the metrics that a run with these parameters has: those downstream where a predictor is trained."""
        return available(parameters)

    def measure(self, block: ModelBlock, truth: Regression, names: Iterable[str]) -> dict[str, np.ndarray]:
        """Return metrics of a block."""
        return metrics_of(block, truth, names)

    def advance(
        self, state: ChainState, first: int, n_generations: int, seed: int, first_replicate: int = 0
    ) -> ModelBlock:
        """Run generations `first` and following and return their block; `state` moves on with them."""
        now = np.empty((len(state.now), n_generations, state.now.shape[1]))
        self._chain.advance(state, first, n_generations, run_key(seed, first_replicate), now)
        return self._block(now, self._predictor(now, first, seed, first_replicate))

    def warnings(self) -> list[str]:
        """Return which moments of the errors are infinite, a line each: those of fits to about as many samples as
        inputs.
        """
        return heavy_tails(self._truth, self._parameters, self._schedule)

    def _start(self, n_replicates: int) -> np.ndarray:
        """Return generation 0 as a chain follows it, float64 (R, d or 3)."""
        return np.tile([1.0, 0.0, 0.0] if self._overlaps else self._truth.weights, (n_replicates, 1))

    def _block(self, now: np.ndarray, predictor: Mapping[str, np.ndarray] = MappingProxyType({})) -> ModelBlock:
        """Return the block of generations that a chain has followed, float64 (R, B, d or 3)."""
        if self._overlaps:
            overlap, ahead, across = np.moveaxis(now, -1, 0)
            square = self._truth.norm**2
            states = {"overlap": square * overlap, "squared_norm": square * (overlap**2 + across**2)}
            gap = {"squared_gap": square * (ahead**2 + across**2)}
            return ModelBlock(states, quantities={**states, **gap, **predictor})
        states = {"weights": self._truth.outside(now)} if self._keeps_states else {}
        return ModelBlock(states, quantities={"inside": now, **predictor})

    def _predictor(self, now: np.ndarray, first: int, seed: int, first_replicate: int) -> dict[str, np.ndarray]:
        if self._downstream is None:
            return {}
        return {"predictor": self._downstream.train(now, first, seed, first_replicate)}


MODEL = Ridge
