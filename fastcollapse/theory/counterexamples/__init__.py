"""Theory of estimators whose error does not grow as that of regular ones, and of accumulation that collapses.

The mean of alpha-stable data:
    stable_mean_factor, stable_mean_limit, stable_mean_scale, stable_quantile
The mean of exponential data, and the maximum of uniform data:
    exponential_mean_square, exponential_mean_square_limit, exponential_mean_moments, uniform_maximum_moments
The error over that of the first fit, of any regular estimator:
    error_ratio_quantile
A hidden interval:
    hidden_interval_transform, hidden_interval_collapse
Uniform levels:
    uniform_levels_not_collapsed, uniform_levels_limit

`help` of a function explains its own arguments.
"""

from fastcollapse.theory.counterexamples.error_ratio import error_ratio_quantile
from fastcollapse.theory.counterexamples.hidden_interval import hidden_interval_collapse, hidden_interval_transform
from fastcollapse.theory.counterexamples.scale_estimators import (
    exponential_mean_moments,
    exponential_mean_square,
    exponential_mean_square_limit,
    uniform_maximum_moments,
)
from fastcollapse.theory.counterexamples.stable_mean import (
    stable_mean_factor,
    stable_mean_limit,
    stable_mean_scale,
    stable_quantile,
)
from fastcollapse.theory.counterexamples.uniform_levels import uniform_levels_limit, uniform_levels_not_collapsed

__all__ = [
    "error_ratio_quantile",
    "exponential_mean_moments",
    "exponential_mean_square",
    "exponential_mean_square_limit",
    "hidden_interval_collapse",
    "hidden_interval_transform",
    "stable_mean_factor",
    "stable_mean_limit",
    "stable_mean_scale",
    "stable_quantile",
    "uniform_levels_limit",
    "uniform_levels_not_collapsed",
    "uniform_maximum_moments",
]
