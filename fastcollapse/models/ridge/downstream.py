"""Downstream predictor: a regression trained on labels of a generation, for a grid of sample sizes and ridges.

Or a generation that is fine-tuned on labels of the truth. A share of the labels may be synthetic, beside real ones.
"""

import math
from typing import Any

import numpy as np

from fastcollapse.errors import InputError
from fastcollapse.kernels.jit import current_threads
from fastcollapse.kernels.random.streams import StreamKey
from fastcollapse.kernels.random.ziggurat import normal_table
from fastcollapse.kernels.regression.downstream_gaussian import Downstream, Generators, evaluate_downstream
from fastcollapse.kernels.regression.downstream_isotropic import IsotropicTruth, evaluate_isotropic
from fastcollapse.kernels.regression.downstream_mixed import LabelSources, draw_deltas, evaluate_mixed
from fastcollapse.kernels.regression.downstream_rows import evaluate_rows
from fastcollapse.kernels.regression.ridge_path import N_COLUMNS, RegressionTruth
from fastcollapse.models.base import run_key
from fastcollapse.models.pools import check_pool_memory
from fastcollapse.models.ridge.generators import create_design
from fastcollapse.models.ridge.metrics import PARTS
from fastcollapse.models.ridge.parameters import RidgeParameters
from fastcollapse.models.ridge.truth import Regression
from fastcollapse.variables import Coordinate

# Recorded names that need the three parts of the test error, which cost three right-hand sides.
_PARTS = {"metrics", *PARTS}


class Predictor:
    """Trains predictors on fresh samples that are labelled by a generation.

    Parameters
    ----------
    truth : truth of the run.
    parameters : parameters of the run, with a section `downstream`.
    n_generations : number of generations T.
    record : value of `run.record`.

    Raises
    ------
    InputError
        A generation is beyond the end of the run, the rows do not fit into memory, or delta has another length.
    """

    def __init__(
        self, truth: Regression, parameters: RidgeParameters, n_generations: int, record: tuple[Any, ...]
    ) -> None:
        assert parameters.downstream is not None
        down = parameters.downstream
        self._truth, self._down, self._overlaps = truth, down, parameters.follow == "overlaps"
        self._evaluated = down.trained_generations(n_generations)
        ridges, has_parts = down.ridges(), bool(_PARTS & set(record)) or not record
        self._plan = Downstream(down.sizes(), ridges, parameters.sigma, has_parts, down.is_tuned)
        self._raw = parameters.sampler == "raw"
        self._design = create_design(truth, parameters.sampler, reduced=down.is_mixed)
        self._synthetic_noise = parameters.synthetic_noise
        # Of an exact sampler at most twice as many rows as inputs are drawn.
        most = int(down.sizes().max())
        if self._raw or down.is_mixed:
            n_rows = most if self._raw else min(most, 2 * truth.dimension)
            check_pool_memory(n_rows * truth.dimension, "model.downstream.n_samples")
        if isinstance(down.delta, tuple) and len(down.delta) != truth.dimension:
            needed = f"{truth.dimension} entries, one an input"
            raise InputError(f"model.downstream.delta must have {needed}, got {len(down.delta)}")
        self.shape = (*(len(axis.values) for axis in down.coordinates().values()), N_COLUMNS)

    @property
    def n_values(self) -> int:
        """Number of values of a replicate at one generation."""
        return math.prod(self.shape)

    def delta_coordinate(self) -> dict[str, Coordinate]:
        """Return delta in the basis of the eigenvectors, if a run gives it as a vector."""
        if not (self._down.is_mixed and isinstance(self._down.delta, tuple)):
            return {}
        words = "weights of the synthetic labels less w0, in the basis of the eigenvectors"
        return {"delta": Coordinate(self._vector(self._down.delta), words)}

    def train(self, now: np.ndarray, first: int, seed: int, first_replicate: int) -> np.ndarray:
        """Train predictors on generations `first` to `first + B - 1`.

        Parameters
        ----------
        now : float64 (R, B, d) weights in the basis of the eigenvectors, or (R, B, 3) overlaps, as in `ChainState`.

        Returns
        -------
        predictors : float64 (R, B, M, L, 6), or (R, B, M, P, L, 6) with a synthetic share: test error, its three parts,
            |w_pred|^2 and <w_pred, w0>; NaN for generations without a predictor.
        """
        chosen = np.flatnonzero(self._evaluated[first : first + now.shape[1]])
        out = np.full((*now.shape[:2], *self.shape), np.nan)
        if not chosen.size:
            return out
        results = np.full((len(now), len(chosen), *out.shape[2:]), np.nan)
        states = np.ascontiguousarray(now[:, chosen])
        key = run_key(seed, first_replicate)
        rest = (self._plan, normal_table(), key, current_threads(), results)
        generations = first + chosen
        truth = RegressionTruth(self._truth.spectrum, self._truth.weights)
        if self._down.is_mixed:
            weights = self._with_all_coordinates(states)
            synthetic = self._deltas(weights, key), self._down.synthetic_sizes(), self._synthetic_noise
            evaluate_mixed(LabelSources(weights, generations, *synthetic), truth, self._design, *rest)
        elif self._truth.is_isotropic and not self._raw:
            isotropic = IsotropicTruth(self._truth.dimension, float(self._truth.spectrum[0]), self._truth.norm)
            evaluate_isotropic(Generators(self._split_along_truth(states), generations), isotropic, *rest)
        elif self._raw:
            evaluate_rows(Generators(states, generations), truth, self._design, *rest)
        else:
            evaluate_downstream(Generators(states, generations), truth, *rest)
        out[:, chosen] = results
        return out

    def _with_all_coordinates(self, states: np.ndarray) -> np.ndarray:
        """Return the weights (R, G, d); of overlaps the part across w0 in one direction, which has no preferred one."""
        if not self._overlaps:
            return states
        w0 = self._truth.weights
        across = np.zeros_like(w0)
        place = int(np.abs(w0).argmin())
        across[place] = self._truth.norm
        across -= w0[place] / self._truth.norm * w0
        length = float(np.sqrt(np.sum(across**2)))
        # In one dimension nothing is across w0.
        across *= self._truth.norm / length if len(w0) > 1 else 0.0
        return states[..., :1] * w0 + states[..., 2:] * across

    def _vector(self, delta: tuple[float, ...]) -> np.ndarray:
        """Return a vector in the basis of the eigenvectors, float64 (d)."""
        return np.array(delta) if self._truth.rotation is None else np.array(delta) @ self._truth.rotation

    def _deltas(self, weights: np.ndarray, key: StreamKey) -> np.ndarray:
        """Return the weights of the synthetic labels less the true ones, float64 (R, G, d)."""
        if self._down.of_generator:
            return weights - self._truth.weights
        delta = self._down.delta
        if isinstance(delta, tuple):
            return np.tile(self._vector(delta), (*weights.shape[:2], 1))
        drawn = np.empty((len(weights), weights.shape[2]))
        draw_deltas(math.sqrt(delta), normal_table(), key, drawn)
        return np.repeat(drawn[:, None], weights.shape[1], axis=1)

    def _split_along_truth(self, states: np.ndarray) -> np.ndarray:
        """Return the component of the weights along w0 and the norm of the rest, float64 (R, G, 2).

        For fine-tuning these are |w - w0| and 0.
        """
        norm = self._truth.norm
        if self._down.is_tuned:
            gap = norm * states[..., 1:] if self._overlaps else states - self._truth.weights
            length = np.sqrt(np.einsum("rgi,rgi->rg", gap, gap))
            return np.stack([length, np.zeros_like(length)], axis=-1)
        if self._overlaps:
            return np.ascontiguousarray(norm * states[..., [0, 2]])
        unit = self._truth.weights / norm
        along = np.einsum("rgi,i->rg", states, unit)
        rest = states - along[..., None] * unit
        return np.stack([along, np.sqrt(np.einsum("rgi,rgi->rg", rest, rest))], axis=-1)
