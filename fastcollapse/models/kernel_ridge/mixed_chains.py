"""Chains of kernel ridge regressions on mixed labels, real and synthetic, for a grid of weights and ridges.

They stand beside the chain of a run and have its rows and its noise. Here each generation has new rows.
"""

import numpy as np

from fastcollapse.kernels.random.streams import PURPOSE_REAL, PURPOSE_SYNTHETIC
from fastcollapse.models.kernel_ridge.generators import Chain, stream_key
from fastcollapse.models.kernel_ridge.setting import KernelRidgeSetting
from fastcollapse.models.kernel_ridge.state import KernelState


class MixedChain(Chain):
    """Chain of a run with new rows in each generation, and chains for every weight and ridge beside it.

    The outputs of the state of these chains are those of all ridges, weights and outputs, the outputs fastest.
    """

    def __init__(self, setting: KernelRidgeSetting) -> None:
        super().__init__(setting)
        mixed = setting.parameters.mixed_labels
        assert mixed is not None
        self._weights, self._ridges = mixed.weights(), mixed.ridges()
        self._shape = len(self._ridges), len(self._weights), len(setting.truth.targets)

    def initial(self, n_replicates: int, seed: int, first_replicate: int) -> KernelState:
        """Return the state of generation 0."""
        state = super().initial(n_replicates, seed, first_replicate)
        n_outputs = self._shape[0] * self._shape[1] * self._shape[2]
        state.mixed = self._functions(n_replicates, n_outputs, "model.mixed_labels", state.real)
        return state

    def advance(self, state: KernelState, generation: int, seed: int, first_replicate: int) -> None:
        """Run one generation and update `state`."""
        super().advance(state, generation, seed, first_replicate)
        assert state.mixed is not None
        n_replicates, n = len(state.rows), int(self._schedule.n_synthetic[generation - 1])
        key, real_key = (
            stream_key(seed, first_replicate, generation, purpose) for purpose in (PURPOSE_SYNTHETIC, PURPOSE_REAL)
        )
        inputs = self.draw(n_replicates, n, key)
        real, noise = (
            self.label_truly(inputs, real_key),
            self._parameters.synthetic_noise * self._noise(inputs.shape, key),
        )
        weights, n_labels = self._weights[:, None, None], self._shape[1] * self._shape[2]
        for batch, before in self._batches(state.mixed, inputs):
            start = before.reshape(-1, *self._shape, n)
            labels = weights * real[batch, None, None] + (1 - weights) * (start + noise[batch, None, None])
            if self._parameters.from_previous:
                labels -= start
            stacked = labels.reshape(-1, len(self._ridges), n_labels, n)
            coefficients, conditions = self._fitter.fit_labels(inputs[batch], stacked, self._ridges)
            ridge = float(self._ridges.min())
            first = first_replicate + batch.start
            self._fitter.check(conditions, "model.mixed_labels.ridge", ridge, n, first, generation)
            self._keep(state.mixed, batch, inputs[batch], coefficients.reshape(len(start), -1, n))

    def beside(self, state: KernelState, generation: int) -> dict[str, np.ndarray]:
        """Return the errors of the chains, float64 (R, W, L)."""
        assert state.mixed is not None
        out = np.zeros((len(state.rows), self._shape[1], self._shape[0]))
        for batch, values in self._batches(state.mixed, self._test) if generation else ():
            gaps = values.reshape(-1, *self._shape, values.shape[-1]) - self._truth.test_targets
            out[batch] = (gaps**2).mean(axis=(-2, -1)).swapaxes(1, 2)
        return {**super().beside(state, generation), "mixed_error": out}
