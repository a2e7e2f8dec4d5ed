"""Downstream predictor: a regression trained on labels of a generation, for a grid of sample sizes and ridges.

Or a generation that is fine-tuned on labels of the truth.
"""

from typing import Any

import numpy as np

from fastcollapse.kernels.jit import current_threads
from fastcollapse.kernels.random.ziggurat import normal_table
from fastcollapse.kernels.regression.downstream_gaussian import Downstream, Generators, evaluate_downstream
from fastcollapse.kernels.regression.downstream_isotropic import IsotropicTruth, evaluate_isotropic
from fastcollapse.kernels.regression.downstream_rows import evaluate_rows
from fastcollapse.kernels.regression.ridge_path import N_COLUMNS, RegressionTruth
from fastcollapse.models.base import run_key
from fastcollapse.models.pools import check_pool_memory
from fastcollapse.models.ridge.generators import create_design
from fastcollapse.models.ridge.metrics import PARTS
from fastcollapse.models.ridge.parameters import RidgeParameters
from fastcollapse.models.ridge.truth import Regression

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
        A generation is beyond the end of the run, or the rows do not fit into memory.
    """

    def __init__(
        self, truth: Regression, parameters: RidgeParameters, n_generations: int, record: tuple[Any, ...]
    ) -> None:
        assert parameters.downstream is not None
        self._truth = truth
        self._evaluated = parameters.downstream.trained_generations(n_generations)
        sizes, ridges = parameters.downstream.sizes(), parameters.downstream.ridges()
        has_parts, self._is_tuned = bool(_PARTS & set(record)) or not record, parameters.downstream.is_tuned
        self._plan = Downstream(sizes, ridges, parameters.sigma, has_parts, self._is_tuned)
        self._raw = parameters.sampler == "raw"
        self._follows_overlaps = parameters.follow == "overlaps"
        self._design = create_design(truth, parameters.sampler, reduced=False)
        if self._raw:
            check_pool_memory(int(sizes.max()) * truth.dimension)
        self.n_values = ridges.size * N_COLUMNS

    def train(self, now: np.ndarray, first: int, seed: int, first_replicate: int) -> np.ndarray:
        """Train predictors on generations `first` to `first + B - 1`.

        Parameters
        ----------
        now : float64 (R, B, d) weights in the basis of the eigenvectors, or (R, B, 3) overlaps, as in `ChainState`.

        Returns
        -------
        predictors : float64 (R, B, M, L, 6), test error, its three parts, |w_pred|^2 and <w_pred, w0>; NaN for
            generations without a predictor.
        """
        chosen = np.flatnonzero(self._evaluated[first : first + now.shape[1]])
        out = np.full((*now.shape[:2], *self._plan.ridges.shape, N_COLUMNS), np.nan)
        if not chosen.size:
            return out
        results = np.full((len(now), len(chosen), *out.shape[2:]), np.nan)
        states = np.ascontiguousarray(now[:, chosen])
        rest = (self._plan, normal_table(), run_key(seed, first_replicate), current_threads(), results)
        generations = first + chosen
        truth = RegressionTruth(self._truth.spectrum, self._truth.weights)
        if self._truth.is_isotropic and not self._raw:
            isotropic = IsotropicTruth(self._truth.dimension, float(self._truth.spectrum[0]), self._truth.norm)
            evaluate_isotropic(Generators(self._split_along_truth(states), generations), isotropic, *rest)
        elif self._raw:
            evaluate_rows(Generators(states, generations), truth, self._design, *rest)
        else:
            evaluate_downstream(Generators(states, generations), truth, *rest)
        out[:, chosen] = results
        return out

    def _split_along_truth(self, states: np.ndarray) -> np.ndarray:
        """Return the component of the weights along w0 and the norm of the rest, float64 (R, G, 2).

        For fine-tuning these are |w - w0| and 0.
        """
        norm = self._truth.norm
        if self._is_tuned:
            gap = norm * states[..., 1:] if self._follows_overlaps else states - self._truth.weights
            length = np.sqrt(np.einsum("rgi,rgi->rg", gap, gap))
            return np.stack([length, np.zeros_like(length)], axis=-1)
        if self._follows_overlaps:
            return np.ascontiguousarray(norm * states[..., [0, 2]])
        unit = self._truth.weights / norm
        along = np.einsum("rgi,i->rg", states, unit)
        rest = states - along[..., None] * unit
        return np.stack([along, np.sqrt(np.einsum("rgi,rgi->rg", rest, rest))], axis=-1)
