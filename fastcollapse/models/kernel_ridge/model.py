"""The kernel ridge family: regressions on real inputs refitted to their own labels, and downstream predictors."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from fastcollapse.config.sampling import Sampling
from fastcollapse.config.schedule import Schedule
from fastcollapse.models.base import ArrayModel, ModelBlock
from fastcollapse.models.kernel_ridge.downstream import Predictor
from fastcollapse.models.kernel_ridge.fit import Fitter, Table
from fastcollapse.models.kernel_ridge.generators import Chain
from fastcollapse.models.kernel_ridge.metrics import EXPECTED, METRICS, ROLES, available
from fastcollapse.models.kernel_ridge.mixed_chains import MixedChain
from fastcollapse.models.kernel_ridge.parameters import KernelRidgeParameters
from fastcollapse.models.kernel_ridge.setting import KernelRidgeSetting
from fastcollapse.models.kernel_ridge.shared_rows import SharedChain
from fastcollapse.models.kernel_ridge.sizes import check_kernel, check_sizes, narrow_spread, row_squares
from fastcollapse.models.kernel_ridge.spectrum import estimate_spectrum
from fastcollapse.models.kernel_ridge.state import EMPTY, KernelState
from fastcollapse.models.kernel_ridge.truth import KernelRidgeTruth, Labelled
from fastcollapse.models.saved_arrays import restore_arrays
from fastcollapse.variables import Coordinate, Metric, Variable

_TRAINED = {"n_samples": 20, "ridge": [0.1, 1.0]}
_DESIGNS = ("independent", "dependent")
_MIXED = {"weight": [0.3, 0.6], "ridge": [0.1, 1.0]}


def _example(workflow: str = "", **parameters: Any) -> dict[str, Any]:
    """Return an item of `Model.EXAMPLES`."""
    sections = {"model": {"kernel": "rbf", "sigma": 0.1, **parameters}, "truth": {"n_test": 50}}
    return {**sections, "workflow": {"name": workflow}} if workflow else sections


class KernelRidge(ArrayModel):
    """Recursive training of a kernel ridge regression on real inputs.

    Generation t is fitted to distinct random rows of the data with labels f(x) + noise, where f is the function of
    generation t - 1. The function of generation 0 is given by the labels of the data. A fitted function is
    sum_i a_i k(x, z_i) with a = (K + n ridge)^-1 y, or the sum of the function before and the fit of what it lacks.
    Chains on mixed labels, real and synthetic, may stand beside the chain of a run. A downstream predictor is fitted to
    random rows labelled by generation t, for each ridge of a grid. All functions are tested on held-out rows against
    their given labels.

    Parameters
    ----------
    truth : inputs, targets and held-out rows.
    parameters : kernel, rows, noise, ridge, mixed labels and downstream predictor.
    schedule : the workflow as arrays over generations.
    record : value of `run.record`; expectations given the rows are computed only if they are recorded.

    Raises
    ------
    InputError
        A generation has more samples than the data has rows, inputs or labels are too large or too small, or the
        workflow does not go with the parameters.

    References
    ----------
    Dohmatob, Feng, Kempe, arXiv:2402.07712; mixed labels: Garg, Bhattacharya, Sur, arXiv:2509.22341. The choice of the
    rows and all defaults are specific to this project.
    """

    PARAMETERS = KernelRidgeParameters
    TRUTH = KernelRidgeTruth
    METRICS = METRICS
    ROLES = ROLES
    EXAMPLES = (
        _example(spectrum_rows=0, scale=0.5),
        # A predictor, a spectrum and the median length take most of the time, so that one workflow has them.
        _example("replace", spectrum_rows=40, downstream=_TRAINED),
        _example("replace", spectrum_rows=40, downstream=_TRAINED, precision="float32"),
        *(
            _example("replace", spectrum_rows=0, scale=0.5, mixed_labels=_MIXED, designs=designs)
            for designs in _DESIGNS
        ),
    )
    CAPABILITIES = frozenset({"pool", "subsample", "fresh_real", "fixed_real", "subsample_with_real"})

    def __init__(
        self, truth: Labelled, parameters: KernelRidgeParameters, schedule: Schedule, record: tuple[Any, ...] = ()
    ) -> None:
        self._truth, self._parameters = truth, parameters
        check_sizes(truth, parameters.precision)
        self._law = parameters.law(truth.rows, truth.unit)
        self._test = Table(truth.test_rows, parameters.precision)
        check_kernel(self._law, max(row_squares(truth.rows), row_squares(truth.test_rows)))
        self._fitter = Fitter(self._law, Table(truth.rows, parameters.precision), parameters.precision)
        has_expected = not record or bool({"metrics", *EXPECTED} & set(record))
        setting = KernelRidgeSetting(truth, parameters, schedule, self._fitter, self._test, has_expected)
        independent = Chain if parameters.mixed_labels is None else MixedChain
        self._chain = SharedChain(setting) if parameters.is_dependent else independent(setting)
        self._downstream = None
        if parameters.downstream is not None:
            self._downstream = Predictor(setting, parameters.downstream, self._chain)

    def state_variables(self) -> dict[str, Variable]:
        """Return the variables of the states."""
        name = "coefficient of the kernel of a row (0 in generation 0, which is the labels as given)"
        if self._parameters.from_previous:
            name = "coefficient of the kernel of a row, in what is added to the labels as given"
        return {"coefficients": Variable(name, dims=("output", "row"))}

    def coordinates(self) -> dict[str, Coordinate]:
        """Return the coordinates of rows and outputs, the inputs of theory, and the axes of the predictor."""
        truth = self._truth
        shown = truth.shown()
        pixels = truth.test_rows[shown].ravel() / truth.unit
        grid = self._parameters.downstream or self._parameters.mixed_labels
        return {
            "row": Coordinate(truth.numbers, "place of the row in its file, from 0"),
            "output": Coordinate(truth.levels if not truth.is_number else np.zeros(1), "label that the output is for"),
            "shown": Coordinate(
                truth.test_numbers[shown], "rows held out that figures show, by their place in the file"
            ),
            "shown_label": Coordinate(truth.levels[truth.test_classes[shown]], "labels of the rows shown"),
            "pixels": Coordinate(pixels, "inputs of the rows shown, one after the other", f"{truth.unit:g}"),
            **self._theory_inputs(),
            **({} if grid is None else grid.coordinates()),
        }

    def _theory_inputs(self) -> dict[str, Coordinate]:
        """Return the estimated spectrum and power, unless `spectrum_rows` is 0."""
        n_rows = self._parameters.spectrum_rows
        if not n_rows:
            return {}
        spectrum, power = estimate_spectrum(self._law, self._test, self._truth.test_targets, n_rows)
        return {
            "spectrum": Coordinate(spectrum, "eigenvalues of the kernel over rows held out, divided by their number"),
            "power": Coordinate(power, "mean square of the targets held out along each eigenvector"),
        }

    def truth_states(self) -> dict[str, np.ndarray]:
        """Return generation 0 as a state."""
        return {"coefficients": np.zeros((len(self._truth.targets), len(self._truth.rows)))}

    def generation_0(self, n_replicates: int, seed: int, first_replicate: int = 0) -> ModelBlock:
        """Return the block of generation 0, with a predictor trained on the given labels."""
        state = self._chain.initial(n_replicates, seed, first_replicate)
        return self._block([self._evaluate(state, 0, seed, first_replicate)])

    def initial(self, n_replicates: int, seed: int, first_replicate: int = 0) -> KernelState:
        """Return the state of generation 0."""
        return self._chain.initial(n_replicates, seed, first_replicate)

    def restore(
        self, arrays: Mapping[str, np.ndarray], n_replicates: int, seed: int, first_replicate: int = 0
    ) -> KernelState:
        """Return the state saved as `arrays`."""
        state = self.initial(n_replicates, seed, first_replicate)
        # A longer run has more columns where its pool or its sums of functions grow.
        padding = {"rows": EMPTY, "coefficients": 0.0, "mixed_rows": EMPTY, "mixed_coefficients": 0.0}
        shapes = {name: values.shape for name, values in state.arrays().items() if name in padding}
        arrays = {
            name: _padded(values, shapes[name], padding[name]) if name in shapes else values
            for name, values in arrays.items()
        }
        restore_arrays(arrays, state, "inputs" if state.pools else "")
        self._chain.resume(state, seed, first_replicate)
        return state

    def generation_bytes(self, state: KernelState) -> int:
        """Return the size of the states and of the mixed chains of one generation, in bytes."""
        mixed = self._parameters.mixed_labels
        n_values = 0 if mixed is None else 2 * mixed.weights().size * mixed.ridges().size
        return 8 * len(state.rows) * (self._truth.targets.size + n_values)

    def warnings(self) -> list[Warning]:
        """Return a warning where `scale` is in units of inputs that hardly differ."""
        return narrow_spread(self._truth, self._parameters.scale)

    @classmethod
    def available_metrics(
        cls, parameters: KernelRidgeParameters, sampling: Sampling | None = None
    ) -> dict[str, Metric]:
        """Return the metrics of a run with these parameters; downstream metrics only with a predictor."""
        return available(parameters)

    def advance(
        self, state: KernelState, first: int, n_generations: int, seed: int, first_replicate: int = 0
    ) -> ModelBlock:
        """Run `n_generations` generations from `first` on, update `state` and return the block."""
        results = []
        for generation in range(first, first + n_generations):
            self._chain.advance(state, generation, seed, first_replicate)
            results.append(self._evaluate(state, generation, seed, first_replicate))
        return self._block(results)

    def work_bytes(self) -> int:
        """Return the memory of the fits of one replicate in bytes, without its state."""
        largest = max(self._chain.largest, 0 if self._downstream is None else self._downstream.largest)
        parameters, n, n_test = self._parameters, self._chain.largest, len(self._truth.test_rows)
        # Rows of a function, the decomposition of a kernel matrix, its functions at the held-out rows, mixed chains.
        more = self._chain.n_rows * self._truth.rows.shape[1] + n * (2 * n + n_test)
        if parameters.mixed_labels is not None and not parameters.is_dependent:
            n_chains = parameters.mixed_labels.weights().size * parameters.mixed_labels.ridges().size
            more += n_chains * len(self._truth.targets) * (4 * n + 2 * n_test)
        is_plain = not parameters.from_previous and not parameters.is_dependent and parameters.mixed_labels is None
        return self._fitter.fit_bytes(largest) + (0 if is_plain else 8 * more)

    def limit_work(self, n_bytes: int | None) -> None:
        """Limit the memory of simultaneous fits to `n_bytes`; one replicate is always allowed."""
        if n_bytes is not None:
            self._fitter.limit_memory(n_bytes)

    def _evaluate(self, state: KernelState, generation: int, seed: int, first_replicate: int) -> dict[str, np.ndarray]:
        """Return coefficients and metrics of one generation, name -> float64 (R, ...)."""
        truth = self._truth
        outputs = self._chain.values(state, self._test)
        shown = outputs[..., truth.shown()]
        spread = np.zeros((*state.coefficients.shape[:2], len(truth.rows) + 1))
        # Unused entries have row -1, so that they write to the last column, which is dropped.
        np.put_along_axis(spread, state.rows[:, None], state.coefficients, axis=2)
        scores = truth.scores(outputs)
        results = {
            "coefficients": spread[..., :-1],
            "generator_error": scores[..., 0],
            "generator_accuracy": scores[..., 1],
            "generator_shown": shown[:, 0] if truth.is_number else truth.levels[truth.decide(shown)],
        }
        results |= self._chain.beside(state, generation)
        if self._downstream is not None:
            scores = self._downstream.train(state, generation, self._test, seed, first_replicate)
            results |= {"test_error": scores[..., 0], "test_accuracy": scores[..., 1]}
        return results

    def _block(self, results: list[dict[str, np.ndarray]]) -> ModelBlock:
        """Return the block of the results of consecutive generations."""
        metrics = {name: np.stack([result[name] for result in results], axis=1) for name in results[0]}
        return ModelBlock({"coefficients": metrics.pop("coefficients")}, metrics=metrics)


MODEL = KernelRidge


def _padded(values: np.ndarray, shape: tuple[int, ...], fill: float) -> np.ndarray:
    """Return an array of a shape, if it only has fewer columns in its last axis; otherwise the array itself."""
    if values.shape[:-1] != shape[:-1] or values.shape[-1] >= shape[-1]:
        return values
    columns = np.full(shape, fill, values.dtype)
    columns[..., : values.shape[-1]] = values
    return columns
