"""Kernel ridge regressions on real inputs, fitted to labels that the last one wrote, and predictors trained on them."""

from collections.abc import Mapping

import numpy as np

from fastcollapse.config.schedule import Schedule
from fastcollapse.models.base import ArrayModel, ModelBlock, restore_arrays
from fastcollapse.models.kernel_ridge.downstream import Predictor
from fastcollapse.models.kernel_ridge.fit import Fitter, Table
from fastcollapse.models.kernel_ridge.generators import Chain, KernelState
from fastcollapse.models.kernel_ridge.metrics import METRICS, available
from fastcollapse.models.kernel_ridge.parameters import KernelRidgeParameters
from fastcollapse.models.kernel_ridge.spectrum import spectrum_of
from fastcollapse.models.kernel_ridge.truth import KernelRidgeTruth, Labelled
from fastcollapse.variables import Coordinate, Metric, Variable


class KernelRidge(ArrayModel):
    """Recursive training of a kernel ridge regression on real inputs.

    Generation t is fitted to fresh rows of the data, all different, with labels f(x) + noise, f the function of
    generation t - 1; that of generation 0 is the labels as given. It is sum_i a_i k(x, z_i), a = (K + n ridge)^-1 y.
    With a predictor downstream, fresh rows labelled by generation t are fitted once more, with each ridge of a grid.
    All are tested on the rows held out, against their given labels.

    Parameters
    ----------
    truth: inputs, targets, rows held out
    parameters: kernel, noise, ridge, downstream
    schedule: the workflow as arrays over generations
    record: what a run records, which changes nothing here

    Raises
    ------
    InputError
        More samples are wanted than there are rows.

    References
    ----------
    Dohmatob, Feng, Kempe, arXiv:2402.07712; which rows are drawn, and all defaults: this project's own."""

    PARAMETERS = KernelRidgeParameters
    TRUTH = KernelRidgeTruth
    METRICS = METRICS
    CAPABILITIES = frozenset({"pool", "subsample", "fresh_real", "fixed_real", "subsample_with_real"})

    def __init__(
        self, truth: Labelled, parameters: KernelRidgeParameters, schedule: Schedule, record: tuple = ()
    ) -> None:
        self._truth, self._parameters = truth, parameters
        self._law = parameters.law(truth.rows, truth.unit)
        self._test = Table(truth.test_rows, parameters.precision)
        self._fitter = fitter = Fitter(self._law, Table(truth.rows, parameters.precision), parameters.precision)
        self._chain = Chain(truth, parameters, schedule, fitter)
        self._downstream = None
        if parameters.downstream is not None:
            n_generations = len(schedule.n_synthetic)
            self._downstream = Predictor(
                truth, parameters.downstream, parameters.sigma, n_generations, fitter, self._chain
            )

    def state_variables(self) -> dict[str, Variable]:
        """Return what the states are."""
        name = "coefficient of the kernel of a row (0 in generation 0, which is the labels as given)"
        return {"coefficients": Variable(name, dims=("output", "row"))}

    def coordinates(self) -> dict[str, Coordinate]:
        """Return the rows and outputs, those that figures show, what theory estimates are made of, and the axes of the
        predictor.
        """
        truth = self._truth
        shown = truth.shown()
        pixels = truth.test_rows[shown].ravel() / truth.unit
        axes = {} if self._downstream is None else self._downstream.coordinates()
        return {
            "row": Coordinate(truth.numbers, "place of the row in its file, from 0"),
            "output": Coordinate(truth.levels if not truth.is_number else np.zeros(1), "label that the output is for"),
            "shown": Coordinate(
                truth.test_numbers[shown], "rows held out that figures show, by their place in the file"
            ),
            "shown_label": Coordinate(truth.levels[truth.test_classes[shown]], "labels of the rows shown"),
            "pixels": Coordinate(pixels, "inputs of the rows shown, one after the other"),
            **self._estimate(),
            **axes,
        }

    def _estimate(self) -> dict[str, Coordinate]:
        """Return what theory is fed with, where it is wanted."""
        most = self._parameters.spectrum_rows
        if not most:
            return {}
        spectrum, power = spectrum_of(self._law, self._test, self._truth.test_targets, most)
        return {
            "spectrum": Coordinate(spectrum, "eigenvalues of the kernel over rows held out, divided by their number"),
            "power": Coordinate(power, "mean square of the targets held out along each eigenvector"),
        }

    def truth_states(self) -> dict[str, np.ndarray]:
        """Return generation 0 as a state."""
        return {"coefficients": np.zeros((len(self._truth.targets), len(self._truth.rows)))}

    def generation_0(self, n_replicates: int, seed: int, first_replicate: int = 0) -> ModelBlock:
        """Return the block of generation 0: a predictor is trained on the labels as given too."""
        state = self._chain.initial(n_replicates, seed, first_replicate)
        return self._block([self._evaluate(state, 0, seed, first_replicate)])

    def initial(self, n_replicates: int, seed: int, first_replicate: int = 0) -> KernelState:
        """Return the state of generation 0."""
        return self._chain.initial(n_replicates, seed, first_replicate)

    def restore(
        self, arrays: Mapping[str, np.ndarray], n_replicates: int, seed: int, first_replicate: int = 0
    ) -> KernelState:
        """Return the state whose arrays these are."""
        state = self.initial(n_replicates, seed, first_replicate)
        restore_arrays(arrays, state, "inputs" if state.kept else "")
        return state

    def generation_bytes(self, state: KernelState) -> int:
        """Return the bytes of the states of one generation."""
        return 8 * len(state.rows) * self._truth.targets.size

    @classmethod
    def available_metrics(cls, parameters: KernelRidgeParameters) -> dict[str, Metric]:
        """Return the metrics that a run with these parameters has: those downstream where a predictor is trained."""
        return available(parameters)

    def advance(
        self, state: KernelState, first: int, n_generations: int, seed: int, first_replicate: int = 0
    ) -> ModelBlock:
        """Run generations `first` and following and return their block; `state` moves on with them."""
        found = []
        for generation in range(first, first + n_generations):
            self._chain.advance(state, generation, seed, first_replicate)
            found.append(self._evaluate(state, generation, seed, first_replicate))
        return self._block(found)

    def work_bytes(self) -> int:
        """Return what the fits of one replicate take beside its state."""
        largest = max(self._chain.largest, 0 if self._downstream is None else self._downstream.largest)
        return self._fitter.bytes_of(largest)

    def limit_work(self, n_bytes: int | None) -> None:
        """Hold the fits of replicates at once to so many bytes, or to one replicate."""
        if n_bytes is not None:
            self._fitter.limit(n_bytes)

    def _evaluate(self, state: KernelState, generation: int, seed: int, first_replicate: int) -> dict[str, np.ndarray]:
        """Return what is recorded of one generation, name -> float64 (R, ...)."""
        truth = self._truth
        outputs = self._chain.values(state, self._test)
        shown = outputs[..., truth.shown()]
        spread = np.zeros((*state.coefficients.shape[:2], len(truth.rows) + 1))
        # The places that hold nothing are -1: the last column, which goes.
        np.put_along_axis(spread, state.rows[:, None], state.coefficients, axis=2)
        scores = truth.scores(outputs)
        found = {
            "coefficients": spread[..., :-1],
            "generator_error": scores[..., 0],
            "generator_accuracy": scores[..., 1],
            "generator_shown": shown[:, 0] if truth.is_number else truth.levels[truth.decide(shown)],
        }
        if self._downstream is not None:
            scores = self._downstream.train(state, generation, self._test, seed, first_replicate)
            found |= {"test_error": scores[..., 0], "test_accuracy": scores[..., 1]}
        return found

    def _block(self, found: list[dict[str, np.ndarray]]) -> ModelBlock:
        metrics = {name: np.stack([one[name] for one in found], axis=1) for name in found[0]}
        return ModelBlock({"coefficients": metrics.pop("coefficients")}, metrics=metrics)


MODEL = KernelRidge
