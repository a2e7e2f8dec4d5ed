"""Theory of refitted kernel density estimates.

The mean integrated squared error under any schedule, against a normal mixture or a published shape:
    kde_mise, kde_mise_shape
The same with another weight of frequencies, the squared maximum mean discrepancy:
    kde_mmd_square
Its closed form and limit for workflow replace:
    kde_mise_replace, kde_mise_limit
Moments of the points under any schedule:
    kde_second_moment, kde_within_variance, kde_scaled_within_variance
The best bandwidth with real data mixed in:
    kde_mixing_bandwidth, kde_mixing_ratio, kde_mixing_mise
Bounds of the negative log likelihood of real points:
    kde_nll_bounds, kde_nll_bounds_shape, kde_accumulate_nll_bound, kde_mix_nll_bound

`help` of a function explains its own arguments; those that a module shares are in the `Notation` of the module.
"""

from fastcollapse.theory.density.likelihood import (
    kde_accumulate_nll_bound,
    kde_mix_nll_bound,
    kde_nll_bounds,
    kde_nll_bounds_shape,
)
from fastcollapse.theory.density.mise import kde_mise, kde_mise_shape, kde_mmd_square
from fastcollapse.theory.density.mixing import kde_mixing_bandwidth, kde_mixing_mise, kde_mixing_ratio
from fastcollapse.theory.density.moments import kde_scaled_within_variance, kde_second_moment, kde_within_variance
from fastcollapse.theory.density.replace import kde_mise_limit, kde_mise_replace

__all__ = [
    "kde_accumulate_nll_bound",
    "kde_mise",
    "kde_mise_limit",
    "kde_mise_replace",
    "kde_mise_shape",
    "kde_mix_nll_bound",
    "kde_mixing_bandwidth",
    "kde_mixing_mise",
    "kde_mixing_ratio",
    "kde_mmd_square",
    "kde_nll_bounds",
    "kde_nll_bounds_shape",
    "kde_scaled_within_variance",
    "kde_second_moment",
    "kde_within_variance",
]
