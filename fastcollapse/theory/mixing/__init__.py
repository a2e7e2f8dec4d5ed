"""Theory of fits that weigh real and synthetic data, of windows and of discounts.

The error of a fit to real and synthetic data, and the weights of the least error:
    weighted_errors, fixed_real_errors, optimal_weights, best_weight, contaminated_errors
The factor of any workflow, for large samples, and its growth:
    pathway_factors, window_slope, discount_slope, fixed_real_factor
The factor of another estimator, fitted to data of models of maximum likelihood:
    other_estimator_factors
Tokens and Gaussians under any schedule with weights, shares, windows and discounts, exact:
    expected_staged
Second moments of Gaussian covariances:
    weighted_variance_spread, weighted_covariance_moments

`help` of a function explains its own arguments; those that a module shares are in the `Notation` of the module.
"""

from fastcollapse.theory.mixing.gaussian_parts import weighted_covariance_moments, weighted_variance_spread
from fastcollapse.theory.mixing.other_estimator import other_estimator_factors
from fastcollapse.theory.mixing.pathways import discount_slope, fixed_real_factor, pathway_factors, window_slope
from fastcollapse.theory.mixing.staged_schedule import expected_staged
from fastcollapse.theory.mixing.weighted_fit import (
    best_weight,
    contaminated_errors,
    fixed_real_errors,
    optimal_weights,
    weighted_errors,
)

__all__ = [
    "best_weight",
    "contaminated_errors",
    "discount_slope",
    "expected_staged",
    "fixed_real_errors",
    "fixed_real_factor",
    "optimal_weights",
    "other_estimator_factors",
    "pathway_factors",
    "weighted_covariance_moments",
    "weighted_errors",
    "weighted_variance_spread",
    "window_slope",
]
