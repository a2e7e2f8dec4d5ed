"""The ridge family: linear regressions refitted to their own labels, and downstream predictors."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from fastcollapse.config.sampling import Sampling
from fastcollapse.config.schedule import Schedule
from fastcollapse.config.sections import TruthSection
from fastcollapse.errors import InfiniteMomentWarning
from fastcollapse.models.base import ArrayModel, ModelBlock, run_key
from fastcollapse.models.ridge.downstream import Predictor
from fastcollapse.models.ridge.generators import ChainState, create_chain
from fastcollapse.models.ridge.infinite_moments import infinite_moment_warnings
from fastcollapse.models.ridge.metrics import METRICS, ROLES, available, metrics_of
from fastcollapse.models.ridge.mixed_chains import MixedChains
from fastcollapse.models.ridge.parameters import RidgeParameters
from fastcollapse.models.ridge.truth import Regression, RidgeTruth
from fastcollapse.models.ridge.weighted_chains import create_weighted_chain, least_squares_errors
from fastcollapse.models.saved_arrays import restore_arrays
from fastcollapse.variables import Coordinate, Metric, Variable

_MIXED = {"weight": [0.0, 0.6], "ridge": [0.0, 0.1]}
_TRAINED = {"n_samples": [5, 30], "ridge": [0.0, 0.1]}
_SHARED = {**_TRAINED, "synthetic_share": [0.0, 0.5], "delta": 0.1}


class Ridge(ArrayModel):
    """Recursive training of a linear regression.

    Generation t is fitted to inputs x of covariance Sigma with labels x'w + noise, where w are the weights of
    generation t - 1. The weights of generation 0 are the true weights w0. A downstream predictor is fitted to fresh
    samples labelled by generation t, for each ridge of a grid.

    Parameters
    ----------
    truth : covariance, true weights and law of the inputs.
    parameters : designs, noise, ridge, sampler, followed quantities and downstream predictor.
    schedule : the workflow as arrays over generations.
    record : value of `run.record`; the parts of the test error, and the weights in the coordinates of the user, are
        computed only if they are recorded.

    Raises
    ------
    InputError
        The parameters are incompatible with the truth or the schedule.

    References
    ----------
    Dohmatob, Feng, Kempe, arXiv:2402.07712; Gerstgrasser et al., arXiv:2404.01413. Samplers: derived, see the kernels.
    """

    PARAMETERS = RidgeParameters
    TRUTH = RidgeTruth
    METRICS = METRICS
    ROLES = ROLES
    EXAMPLES = tuple(
        {"model": {"sigma": 0.5, **model}, "truth": {"dimension": 4, **truth}}
        for model, truth in (
            ({"designs": "independent", "downstream": _TRAINED}, {}),
            ({"designs": "independent", "downstream": _TRAINED}, {"beta": 1.0}),
            ({"designs": "independent", "follow": "overlaps", "downstream": _TRAINED}, {}),
            ({"designs": "independent", "downstream": _SHARED}, {}),
            ({"designs": "dependent", "ridge": 0.1}, {}),
            ({"designs": "independent", "sampler": "raw", "downstream": _TRAINED}, {"design": "uniform"}),
            ({"designs": "dependent", "mixed_labels": _MIXED}, {}),
            ({"designs": "independent", "mixed_labels": _MIXED}, {}),
        )
    )
    CAPABILITIES = frozenset({"pool", "subsample", "fresh_real", "fixed_real", "weights"})

    def __init__(
        self, truth: Regression, parameters: RidgeParameters, schedule: Schedule, record: tuple[Any, ...] = ()
    ) -> None:
        self._truth, self._parameters = truth, parameters
        self._schedule = schedule
        self._keeps_states = "trajectory" in record
        self._overlaps = parameters.follow == "overlaps"
        create = create_chain if schedule.weight is None else create_weighted_chain
        self._chain = create(truth, parameters, schedule)
        self._downstream = None
        if parameters.downstream is not None:
            self._downstream = Predictor(truth, parameters, len(schedule.n_synthetic), record)
        self._mixed = None if parameters.mixed_labels is None else MixedChains(truth, parameters, schedule)

    def state_variables(self) -> dict[str, Variable]:
        """Return the variables of the states."""
        if self._overlaps:
            return {
                "overlap": Variable("product of the weights and the true ones"),
                "squared_norm": Variable("square of the norm of the weights"),
            }
        return {"weights": Variable("weights", dims=("component",))}

    def coordinates(self) -> dict[str, Coordinate]:
        """Return the spectrum and the true weights in the basis of the eigenvectors, and the axes of the predictor."""
        grid = self._parameters.downstream or self._parameters.mixed_labels
        return {
            "spectrum": Coordinate(self._truth.spectrum, "eigenvalues of the covariance of the inputs"),
            "w0": Coordinate(self._truth.weights, "true weights in the basis of the eigenvectors"),
            **({} if grid is None else grid.coordinates()),
            **({} if self._downstream is None else self._downstream.delta_coordinate()),
        }

    def truth_states(self) -> dict[str, np.ndarray]:
        """Return the truth as a state."""
        return {name: values[0, 0] for name, values in self._block(self._start(1)[:, None]).states.items()}

    def generation_0(self, n_replicates: int, seed: int, first_replicate: int = 0) -> ModelBlock:
        """Return the block of generation 0, with a predictor trained on labels of the truth."""
        now = self._start(n_replicates)[:, None]
        mixed = {} if self._mixed is None else {"mixed": np.zeros((n_replicates, 1, *self._mixed.shape))}
        return self._block(now, {**self._predictor(now, 0, seed, first_replicate), **mixed})

    def initial(self, n_replicates: int, seed: int, first_replicate: int = 0) -> ChainState:
        """Return the state of generation 0."""
        state = self._chain.initial(self._start(n_replicates), seed, first_replicate)
        if self._mixed is not None:
            shared = state.redrawn.rows if self._parameters.designs == "dependent" else None
            state.mixed = self._mixed.initial(n_replicates, shared)
        return state

    def restore(
        self, arrays: Mapping[str, np.ndarray], n_replicates: int, seed: int, first_replicate: int = 0
    ) -> ChainState:
        """Return the state saved as `arrays`."""
        state = self.initial(n_replicates, seed, first_replicate)
        restore_arrays(arrays, state, "" if state.n_kept is None else "labels")
        return state

    def generation_bytes(self, state: ChainState) -> int:
        """Return the size of the states, the predictors and the mixed chains of one generation, in bytes."""
        n_values = 0 if self._downstream is None else self._downstream.n_values
        n_values += 0 if self._mixed is None else self._mixed.shape[0] * self._mixed.shape[1]
        return 8 * (state.now.size + len(state.now) * n_values)

    @classmethod
    def available_metrics(cls, parameters: RidgeParameters, sampling: Sampling | None = None) -> dict[str, Metric]:
        """Return the metrics of a run with these parameters; downstream and mixed errors only with their section."""
        return available(parameters)

    @classmethod
    def fit_errors(cls, truth: TruthSection, parameters: RidgeParameters, schedule: Schedule) -> tuple[np.ndarray, ...]:
        """Return the errors of both fits of a mix, and the part of the generator's error that is kept."""
        assert isinstance(truth, RidgeTruth)
        return least_squares_errors(truth, parameters, schedule)

    def measure(self, block: ModelBlock, truth: Regression, names: Iterable[str]) -> dict[str, np.ndarray]:
        """Return metrics of a block."""
        return metrics_of(block, truth, names)

    def advance(
        self, state: ChainState, first: int, n_generations: int, seed: int, first_replicate: int = 0
    ) -> ModelBlock:
        """Run `n_generations` generations from `first` on, update `state` and return the block."""
        now = np.empty((len(state.now), n_generations, state.now.shape[1]))
        key = run_key(seed, first_replicate)
        self._chain.advance(state, first, n_generations, key, now)
        mixed = {} if self._mixed is None else {"mixed": self._mixed.follow(state.mixed, first, n_generations, key)}
        return self._block(now, {**self._predictor(now, first, seed, first_replicate), **mixed})

    def length_settings(self, n_generations: int) -> tuple[Any, ...]:
        """Return the number of rows of designs that all generations share."""
        return (int(self._schedule.n_synthetic.max()),) if self._parameters.designs == "dependent" else ()

    def warnings(self) -> list[Warning]:
        """Return a warning for each fit whose errors have an infinite mean or variance."""
        messages = infinite_moment_warnings(self._truth, self._parameters, self._schedule)
        return [InfiniteMomentWarning(message) for message in messages]

    def _start(self, n_replicates: int) -> np.ndarray:
        """Return generation 0 in the form of the chain, float64 (R, d or 3)."""
        return np.tile([1.0, 0.0, 0.0] if self._overlaps else self._truth.weights, (n_replicates, 1))

    def _block(self, now: np.ndarray, beside: Mapping[str, np.ndarray] = MappingProxyType({})) -> ModelBlock:
        """Return the block of generations `now` of a chain, float64 (R, B, d or 3), and of the results beside it."""
        if self._overlaps:
            overlap, ahead, across = np.moveaxis(now, -1, 0)
            square = self._truth.norm**2
            states = {"overlap": square * overlap, "squared_norm": square * (overlap**2 + across**2)}
            gap = {"squared_gap": square * (ahead**2 + across**2)}
            return ModelBlock(states, quantities={**states, **gap, **beside})
        states = {"weights": self._truth.rotate_back(now)} if self._keeps_states else {}
        return ModelBlock(states, quantities={"inside": now, **beside})

    def _predictor(self, now: np.ndarray, first: int, seed: int, first_replicate: int) -> dict[str, np.ndarray]:
        if self._downstream is None:
            return {}
        return {"predictor": self._downstream.train(now, first, seed, first_replicate)}


MODEL = Ridge
