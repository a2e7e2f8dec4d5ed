"""Downstream predictor: a kernel ridge regression trained on labels of a generation.

Or a generation that is fine-tuned on given labels: the fit to their differences to its function is added to it.
"""

import numpy as np

from fastcollapse.errors import InputError
from fastcollapse.kernels.random.streams import PURPOSE_DESIGN, PURPOSE_DOWNSTREAM
from fastcollapse.models.kernel_ridge.fit import Table
from fastcollapse.models.kernel_ridge.generators import Chain, stream_key
from fastcollapse.models.kernel_ridge.setting import KernelRidgeSetting
from fastcollapse.models.kernel_ridge.state import KernelState
from fastcollapse.models.ridge.downstream_parameters import DownstreamParameters


class Predictor:
    """Trains predictors on rows that are labelled by a generation, and tests them on held-out rows.

    The rows of a replicate are the same for all generations and differ between sample sizes. The noise of the labels is
    new in each generation.

    Parameters
    ----------
    setting : what the run is made from.
    parameters : parameters of the predictor.
    chain : the generations.

    Raises
    ------
    InputError
        A generation is beyond the end of the run, or the data has fewer rows than samples.
    """

    def __init__(self, setting: KernelRidgeSetting, parameters: DownstreamParameters, chain: Chain) -> None:
        self._truth, self._fitter, self._chain = setting.truth, setting.fitter, chain
        self._axis, self._sigma = parameters.axis, setting.parameters.sigma
        self._is_tuned = parameters.is_tuned
        self._evaluated = parameters.trained_generations(len(setting.schedule.n_synthetic))
        self._sizes, self._ridges = parameters.sizes(), parameters.ridges()
        n_rows = len(setting.truth.rows)
        if self._sizes.max() > n_rows:
            limit = f"at most the {n_rows:,} rows that are not held out"
            raise InputError(f"model.downstream.n_samples must be {limit}, got {self._sizes.max()}")
        self.largest = int(self._sizes.max())
        self._fitter.check_memory(self.largest, "model.downstream.n_samples")

    def train(self, state: KernelState, generation: int, test: Table, seed: int, first_replicate: int) -> np.ndarray:
        """Return test error and accuracy of the predictors of a generation, float64 (R, M, L, 2), or NaN."""
        n_replicates = len(state.rows)
        out = np.full((n_replicates, *self._ridges.shape, 2), np.nan)
        if not self._evaluated[generation]:
            return out
        start = self._chain.values(state, test)[:, None] if self._is_tuned else None
        for j, (n, ridges) in enumerate(zip(self._sizes.tolist(), self._ridges, strict=True)):
            rows = self._chain.draw(n_replicates, n, stream_key(seed, first_replicate, 0, PURPOSE_DESIGN), j)
            key = stream_key(seed, first_replicate, generation, PURPOSE_DOWNSTREAM)
            if start is None:
                labels = self._chain.label(state, rows, self._sigma, key, j)
            else:
                labels = self._chain.label_truly(rows, key, j) - self._chain.values(state, rows)
            n_values = 2 * len(ridges) * labels.shape[1] * (n + len(test.rows))
            for batch in self._fitter.batches(np.full(n_replicates, n), n, n_values):
                coefficients, conditions = self._fitter.fit_path(rows[batch], labels[batch], ridges)
                ridge = f"model.downstream.{self._axis}"
                self._fitter.check(conditions, ridge, float(ridges.min()), n, first_replicate + batch.start, generation)
                shape = coefficients.shape
                outputs = self._fitter.values(rows[batch], coefficients.reshape(shape[0], -1, n), test)
                outputs = outputs.reshape(*shape[:3], -1)
                out[batch, j] = self._truth.scores(outputs if start is None else outputs + start[batch])
        return out
