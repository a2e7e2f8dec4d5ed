"""The predictor that is trained on samples of a generation, with every ridge of a grid and every number of samples."""

import numpy as np

from fastcollapse.kernels.jit import current_threads
from fastcollapse.kernels.random.ziggurat import normal_table
from fastcollapse.kernels.regression.downstream_gaussian import Downstream, Generators, evaluate_downstream
from fastcollapse.kernels.regression.downstream_isotropic import IsotropicTruth, evaluate_isotropic
from fastcollapse.kernels.regression.downstream_rows import evaluate_rows
from fastcollapse.kernels.regression.ridge_path import N_COLUMNS, RegressionTruth
from fastcollapse.models.base import check_kept, run_key
from fastcollapse.models.ridge.generators import design_of
from fastcollapse.models.ridge.parameters import RidgeParameters
from fastcollapse.models.ridge.truth import Regression
from fastcollapse.variables import Coordinate

# Metrics that need the three parts of the test error, which cost three right-hand sides.
_PARTS = {"metrics", "test_bias", "test_variance", "test_synthetic"}


class Predictor:
    """Trains predictors on fresh samples, labelled by the weights of a generation.

    Parameters
    ----------
    truth, parameters: of the run
    n_generations: T
    record: what the run records

    Raises
    ------
    InputError
        A generation beyond the run, or rows that do not fit into memory.
    """

    def __init__(self, truth: Regression, parameters: RidgeParameters, n_generations: int, record: tuple) -> None:
        assert parameters.downstream is not None
        self._truth, self._parameters = truth, parameters.downstream
        self._evaluated = parameters.downstream.at(n_generations)
        sizes, ridges = parameters.downstream.sizes(), parameters.downstream.ridges()
        self._plan = Downstream(sizes, ridges, parameters.sigma, bool(_PARTS & set(record)) or not record)
        self._raw = parameters.sampler == "raw"
        self._follows_overlaps = parameters.follow == "overlaps"
        self._design = design_of(truth, parameters.sampler, reduced=False)
        if self._raw:
            check_kept(int(sizes.max()) * truth.dimension)
        self.n_numbers = ridges.size * N_COLUMNS

    def coordinates(self) -> dict[str, Coordinate]:
        """Return the axes of the results."""
        axis = self._parameters.axis
        name = "ridge" if axis == "ridge" else "exponent: the ridge is the number of samples to minus this power"
        return {
            "downstream_samples": Coordinate(self._plan.n_samples, "samples downstream", "samples"),
            axis: Coordinate(self._parameters.grid(), name),
        }

    def train(self, now: np.ndarray, first: int, seed: int, first_replicate: int) -> np.ndarray:
        """Return what predictors of generations `first` and following are, NaN where none is trained.

        Parameters
        ----------
        now : float64 (R, B, d) weights in the basis of the eigenvectors, or (R, B, 3) as chains of overlaps have them.

        Returns
        -------
        float64 (R, B, M, L, 6) : test error, its three parts, |w_pred|^2, <w_pred, w0>.
        """
        chosen = np.flatnonzero(self._evaluated[first : first + now.shape[1]])
        out = np.full((*now.shape[:2], *self._plan.ridges.shape, N_COLUMNS), np.nan)
        if not chosen.size:
            return out
        found = np.full((len(now), len(chosen), *out.shape[2:]), np.nan)
        states = np.ascontiguousarray(now[:, chosen])
        rest = (self._plan, normal_table(), run_key(seed, first_replicate), current_threads(), found)
        generations = first + chosen
        truth = RegressionTruth(self._truth.spectrum, self._truth.weights)
        if self._truth.is_isotropic and not self._raw:
            isotropic = IsotropicTruth(self._truth.dimension, float(self._truth.spectrum[0]), self._truth.norm)
            evaluate_isotropic(Generators(self._seen_from_truth(states), generations), isotropic, *rest)
        elif self._raw:
            evaluate_rows(Generators(states, generations), truth, self._design, *rest)
        else:
            evaluate_downstream(Generators(states, generations), truth, *rest)
        out[:, chosen] = found
        return out

    def _seen_from_truth(self, states: np.ndarray) -> np.ndarray:
        """Return the part of weights along the true ones and the length of what is beside, float64 (R, G, 2)."""
        norm = self._truth.norm
        if self._follows_overlaps:
            return np.ascontiguousarray(norm * states[..., [0, 2]])
        unit = self._truth.weights / norm
        along = np.einsum("rgi,i->rg", states, unit)
        rest = states - along[..., None] * unit
        return np.stack([along, np.sqrt(np.einsum("rgi,rgi->rg", rest, rest))], axis=-1)
