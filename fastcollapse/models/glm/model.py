"""The glm family: generalised linear models refitted to labels that they generate on fixed rows."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from fastcollapse.config.kernel_schedule import kernel_schedule
from fastcollapse.config.sampling import Sampling
from fastcollapse.config.schedule import Schedule
from fastcollapse.errors import InputError
from fastcollapse.kernels.jit import current_threads
from fastcollapse.kernels.random.streams import span_of
from fastcollapse.kernels.regression.newton_glm import rows_of
from fastcollapse.models.base import ArrayModel, ModelBlock, State, compute_metrics, run_key
from fastcollapse.models.glm.kernels import (
    Chains,
    refit_labels,
    refit_limit,
)
from fastcollapse.models.glm.metrics import METRICS, ROLES, GlmQuantities
from fastcollapse.models.glm.parameters import GlmParameters
from fastcollapse.models.glm.setting import given_coefficients, law_of, setting_of
from fastcollapse.models.glm.truth import FixedRows, GlmTruth
from fastcollapse.models.pools import check_pool_memory
from fastcollapse.variables import Coordinate, Metric, Variable

# The largest mean of a Poisson variate.
_MOST_COUNTS = 1e15
# The largest ratio of a true coefficient to the deviation of a fit, whose errors are then rounded by 1e-4 of it.
_FARTHEST = 1e12
# Deviation of the noise that the median adds to the mean of a normal sample, pi/2 - 1 of its variance.
_OF_MEDIAN = float(np.sqrt(np.pi / 2 - 1))


@dataclass(eq=False)
class GlmState(State):
    """The chains of R replicates, see `Chains`."""

    chains: Chains

    def arrays(self) -> dict[str, np.ndarray]:
        """Return the arrays that a resume needs."""
        return self.chains._asdict()


class Glm(ArrayModel):
    """Recursive training of a generalised linear model on fixed rows.

    The labels of generation t are drawn for each row from the model of generation t - 1; a sample has one label or
    more of each row. A fit maximises the likelihood of all labels of the pool. Where it has no maximum, because a
    direction separates the labels, the chain of the replicate ends.

    Parameters
    ----------
    truth : the rows, with coefficients or labels.
    parameters : response, sampler and estimator.
    schedule : the workflow as arrays over generations.
    record : value of `run.record`; not used, because the states are always returned.

    Raises
    ------
    InputError
        A sample is no multiple of the rows, or the labels of the truth have no fit.

    References
    ----------
    Dey, Donoho, arXiv:2410.22812. Samplers: derived, see the kernels.
    """

    PARAMETERS = GlmParameters
    TRUTH = GlmTruth
    METRICS = METRICS
    ROLES = ROLES
    CAPABILITIES = frozenset({"pool", "fresh_real", "fixed_real", "pool_with_real"})
    EXAMPLES = tuple(
        {"model": model, "truth": {"rows": 4, "dimension": 1}}
        for model in (
            {"response": "logistic"},
            {"response": "poisson"},
            {"response": "gaussian"},
            {"response": "gaussian", "sampler": "limit", "estimator": "median"},
        )
    )

    def __init__(
        self, truth: FixedRows, parameters: GlmParameters, schedule: Schedule, record: tuple[Any, ...] = ()
    ) -> None:
        n_rows = len(truth.design)
        for key, sizes in (("n_samples", schedule.n_synthetic), ("n_real", schedule.n_real)):
            wrong = sizes % n_rows != 0
            if wrong.any():
                t = int(wrong.argmax())
                multiple = f"a multiple of the {n_rows:,} rows, one label of each or several"
                raise InputError(f"workflow.{key} must be {multiple}, got {sizes[t]} at generation {t + 1}")
        self._kernel_schedule = kernel_schedule(schedule)
        self._setting = setting_of(truth, parameters.response)
        passes = max(int(schedule.n_synthetic.max()), int(schedule.n_real.max())) // n_rows
        largest = passes * float(law_of(parameters.response, truth.design @ self._setting.truth)[1].max())
        if parameters.response == "poisson" and largest > _MOST_COUNTS:
            raise InputError(
                f"workflow.n_samples must give the labels of a row a sum of mean at most {_MOST_COUNTS:g}, "
                f"got {largest:.3g} for {passes:,} labels of each row"
            )
        # Least squares of Gaussian labels have their large-sample law for every size.
        self._is_limit = parameters.sampler == "limit" or parameters.response == "gaussian"
        self._extra = _OF_MEDIAN if parameters.estimator == "median" else 0.0
        self._inverse = self._setting.inverse_factor()
        n_labels = int(schedule.fitted_sizes().max())
        deviations = np.sqrt((self._inverse**2).sum(axis=1) / (n_labels // n_rows))
        farthest = float((np.abs(self._setting.truth) / deviations).max())
        if farthest > _FARTHEST:
            raise InputError(
                f"{given_coefficients(truth)} must be at most {_FARTHEST:g} times the deviation of a fit to "
                f"{n_labels:,} labels, so that float64 holds its errors, got {farthest:.3g} times"
            )
        self._rows = None if self._is_limit else rows_of(truth.design, self._setting.kernel_response)

    @classmethod
    def available_metrics(cls, parameters: GlmParameters, sampling: Sampling | None = None) -> dict[str, Metric]:
        """Return the metrics of a run with these parameters."""
        return dict(cls.METRICS)

    def state_variables(self) -> dict[str, Variable]:
        """Return the variables of the states."""
        return {"coefficients": Variable("coefficients; after a separation those before it", dims=("component",))}

    def coordinates(self) -> dict[str, Coordinate]:
        """Return the true coefficients, and the principal variances of a fit to n labels, times n, for large n."""
        variances = len(self._setting.design) * np.linalg.svd(self._inverse, compute_uv=False) ** 2
        return {
            "true_coefficients": Coordinate(self._setting.truth.copy(), "true coefficients"),
            "label_variance": Coordinate(variances, "principal variances of a fit to n labels, times n, for large n"),
        }

    def work_bytes(self) -> int:
        """Return the memory of the rows in blocks, and of the predictors and their changes of each thread, in bytes."""
        return 0 if self._rows is None else self._rows.blocks.nbytes + 16 * self._rows.n_rows * current_threads()

    def truth_states(self) -> dict[str, np.ndarray]:
        """Return the truth as a state."""
        return {"coefficients": self._setting.truth}

    def generation_0(self, n_replicates: int, seed: int, first_replicate: int = 0) -> ModelBlock:
        """Return the block of generation 0, which is the truth in every replicate."""
        return self._block(np.tile(self._setting.truth, (n_replicates, 1, 1)), np.zeros((n_replicates, 1)))

    def initial(self, n_replicates: int, seed: int, first_replicate: int = 0) -> GlmState:
        """Return the state of generation 0."""
        p = len(self._setting.truth)
        check_pool_memory(n_replicates * p * 4, "run.n_replicates")
        start = np.zeros(p) if self._is_limit else self._setting.truth
        sums = np.zeros((n_replicates, 2, p) if self._is_limit else (n_replicates, p))
        return GlmState(Chains(np.tile(start, (n_replicates, 1)), np.zeros(n_replicates), sums))

    def generation_bytes(self, state: GlmState) -> int:
        """Return the size of the states of one generation, in bytes."""
        return 8 * (state.chains.coefficients.size + state.chains.separated.size)

    def measure(self, block: ModelBlock, truth: Any, names: Iterable[str]) -> Mapping[str, np.ndarray]:
        """Return metrics of a block."""
        return compute_metrics(self.METRICS, block, truth, names)

    def advance(
        self, state: GlmState, first: int, n_generations: int, seed: int, first_replicate: int = 0
    ) -> ModelBlock:
        """Run `n_generations` generations from `first` on, update `state` and return the block."""
        n_replicates, p = state.chains.coefficients.shape
        out, separated = np.empty((n_replicates, n_generations, p)), np.zeros((n_replicates, n_generations))
        span = span_of(run_key(seed, first_replicate), first, n_generations, current_threads())
        if self._rows is not None:
            refit_labels(self._rows, self._setting.truth, state.chains, self._kernel_schedule, span, out, separated)
            return self._block(out, separated)
        n_rows = len(self._setting.design)
        refit_limit(n_rows, self._extra, state.chains, self._kernel_schedule, span, out)
        # Not a BLAS product: its rounding depends on the number of errors.
        return self._block(self._setting.truth + np.einsum("rbj,ij->rbi", out, self._inverse), separated)

    def _block(self, coefficients: np.ndarray, separated: np.ndarray) -> ModelBlock:
        """Return the block of coefficients (R, B, p) and separations (R, B)."""
        quantities = GlmQuantities(coefficients, separated, self._setting)
        return ModelBlock({"coefficients": coefficients}, quantities=quantities)


MODEL = Glm
