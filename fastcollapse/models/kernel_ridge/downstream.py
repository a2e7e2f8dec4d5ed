"""The predictors that are trained on samples of a generation of a kernel ridge regression."""

import numpy as np

from fastcollapse.errors import InputError
from fastcollapse.kernels.random.streams import PURPOSE_DESIGN, PURPOSE_DOWNSTREAM
from fastcollapse.models.kernel_ridge.fit import Fitter, Table
from fastcollapse.models.kernel_ridge.generators import Chain, KernelState, keyed
from fastcollapse.models.kernel_ridge.truth import Labelled
from fastcollapse.models.ridge.parameters import DownstreamParameters
from fastcollapse.variables import Coordinate


class Predictor:
    """Trains predictors on rows that are labelled by a generation, and tests them on those held out.

    The rows of a replicate are the same for all generations, and different for each number of samples; the noise on
    their labels is always new.

    Parameters
    ----------
    truth, fitter, chain : of the run.
    parameters : of the predictor.
    sigma : noise of the labels.
    n_generations : T.

    Raises
    ------
    InputError
        A generation beyond the run, or more samples than there are rows.
    """

    def __init__(
        self,
        truth: Labelled,
        parameters: DownstreamParameters,
        sigma: float,
        n_generations: int,
        fitter: Fitter,
        chain: Chain,
    ) -> None:
        self._truth, self._parameters, self._sigma = truth, parameters, sigma
        self._fitter, self._chain = fitter, chain
        self._evaluated = parameters.at(n_generations)
        self._sizes, self._ridges = parameters.sizes(), parameters.ridges()
        if self._sizes.max() > len(truth.rows):
            wanted = f"at most the {len(truth.rows):,} rows that are not held out"
            raise InputError(f"model.downstream.n_samples must be {wanted}, got {self._sizes.max()}")
        self.largest = int(self._sizes.max())
        fitter.check_room(self.largest, "model.downstream.n_samples")

    def coordinates(self) -> dict[str, Coordinate]:
        """Return the axes of the results."""
        axis = self._parameters.axis
        name = "ridge" if axis == "ridge" else "exponent: the ridge is the number of samples to minus this power"
        return {
            "downstream_samples": Coordinate(self._sizes, "samples downstream", "samples"),
            axis: Coordinate(self._parameters.grid(), name),
        }

    def train(self, state: KernelState, generation: int, test: Table, seed: int, first_replicate: int) -> np.ndarray:
        """Return test error and accuracy of predictors of a generation, float64 (R, M, L, 2), NaN where it has none."""
        n_replicates = len(state.rows)
        out = np.full((n_replicates, *self._ridges.shape, 2), np.nan)
        if not self._evaluated[generation]:
            return out
        for j, (n, ridges) in enumerate(zip(self._sizes.tolist(), self._ridges, strict=True)):
            rows = self._chain.draw(n_replicates, n, keyed(seed, first_replicate, 0, PURPOSE_DESIGN), j)
            key = keyed(seed, first_replicate, generation, PURPOSE_DOWNSTREAM)
            labels = self._chain.label(state, rows, self._sigma, key, j)
            n_numbers = 2 * len(ridges) * labels.shape[1] * (n + len(test.rows))
            for some in self._fitter.in_flight(np.full(n_replicates, n), n, n_numbers):
                found, conditions = self._fitter.fit_path(rows[some], labels[some], ridges)
                ridge = f"model.downstream.{self._parameters.axis}"
                self._fitter.check(conditions, ridge, float(ridges.min()), n, first_replicate + some.start, generation)
                shape = found.shape
                outputs = self._fitter.values(rows[some], found.reshape(shape[0], -1, n), test)
                out[some, j] = self._truth.scores(outputs.reshape(*shape[:3], -1))
        return out
