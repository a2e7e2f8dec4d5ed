"""Theory of refitted categorical distributions and Poisson rates.

The probability that a symbol is alive after k refits:
    survival_bounds, survival_bounds_published, poisson_survival
Exact probabilities by the transition matrix:
    exact_chain, exact_survival_truncated, exact_unique_symbols
The expected number of distinct symbols:
    unique_symbols_bounds, unique_symbols_bounds_published
The generation in which a symbol of a large corpus becomes extinct:
    forgetting_cdf, forgetting_quantile, forgetting_median_law, forgetting_quantile_expansion
The probability that at least two symbols are alive:
    coexistence_bounds, coexistence_bounds_published, seddik_bounds, seddik_bounds_sharp, not_collapsed_bounds
Mean times until symbols are lost:
    mean_absorption, mean_absorption_given_extinction, mean_absorption_given_fixation, mean_first_loss,
    mean_total_collapse, mean_total_collapse_uniform, sd_total_collapse
The expected heterozygosity under any schedule, and its closed forms by workflow:
    expected_heterozygosity, heterozygosity_replace, accumulate_factor, accumulate_limit,
    accumulate_subsample_factor, fresh_limit, seddik_partial_variance, seddik_partial_limit
The expected loss of entropy:
    entropy_slope, entropy_loss, entropy_path, late_entropy, phi
The true probability of the lost symbols:
    lost_mass_bounds, zipf_lost_mass
The constants g_k of the collapse law:
    g, g_at, g_inverse, g_bounds, g_bounds_published
Curation of the best of K samples, and Wright-Fisher with selection:
    curated_law, curation_path, curation_fixed_point, curated_fixation, kimura_fixation
Sampling at a temperature, and two symbols of it exactly:
    tempered_law, tempered_absorption, tempered_eigenvalue, tempered_stationary_variance
External data beside it, and the noise about its fixed points:
    uniform_share_threshold, collapsed_share_threshold, tempered_fixed_point, tempered_multiplier,
    tempered_covariance, tempered_noise_path, tempered_uniform_noise, tempered_accumulate_variance
The refitted Poisson rate:
    poisson_rate_variance, poisson_mean_if_alive, poisson_count_law

`help` of a function explains its own arguments; those that a module shares are in the `Notation` of the module.
"""

from fastcollapse.theory.discrete.absorption import (
    mean_absorption,
    mean_absorption_given_extinction,
    mean_absorption_given_fixation,
    mean_first_loss,
    mean_total_collapse,
    mean_total_collapse_uniform,
    sd_total_collapse,
)
from fastcollapse.theory.discrete.binomial_chain import exact_chain, exact_survival_truncated, exact_unique_symbols
from fastcollapse.theory.discrete.coexistence import (
    coexistence_bounds,
    coexistence_bounds_published,
    not_collapsed_bounds,
    seddik_bounds,
    seddik_bounds_sharp,
)
from fastcollapse.theory.discrete.collapse_constants import g, g_at, g_bounds, g_bounds_published, g_inverse
from fastcollapse.theory.discrete.curation import curated_law, curation_fixed_point, curation_path
from fastcollapse.theory.discrete.entropy import entropy_loss, entropy_path, entropy_slope, late_entropy, phi
from fastcollapse.theory.discrete.external_share import (
    collapsed_share_threshold,
    tempered_fixed_point,
    tempered_multiplier,
    uniform_share_threshold,
)
from fastcollapse.theory.discrete.extinction_time import (
    forgetting_cdf,
    forgetting_median_law,
    forgetting_quantile,
    forgetting_quantile_expansion,
)
from fastcollapse.theory.discrete.heterozygosity import expected_heterozygosity
from fastcollapse.theory.discrete.heterozygosity_closed_forms import (
    fresh_limit,
    heterozygosity_replace,
    seddik_partial_limit,
    seddik_partial_variance,
)
from fastcollapse.theory.discrete.lost_mass import lost_mass_bounds, zipf_lost_mass
from fastcollapse.theory.discrete.poisson_rate import poisson_count_law, poisson_mean_if_alive, poisson_rate_variance
from fastcollapse.theory.discrete.selection import curated_fixation, kimura_fixation
from fastcollapse.theory.discrete.stationary_noise import (
    tempered_covariance,
    tempered_noise_path,
    tempered_uniform_noise,
)
from fastcollapse.theory.discrete.survival import poisson_survival, survival_bounds, survival_bounds_published
from fastcollapse.theory.discrete.temperature import tempered_law
from fastcollapse.theory.discrete.tempered_accumulation import tempered_accumulate_variance
from fastcollapse.theory.discrete.tempered_two_symbols import (
    tempered_absorption,
    tempered_eigenvalue,
    tempered_stationary_variance,
)
from fastcollapse.theory.discrete.unique_symbols import unique_symbols_bounds, unique_symbols_bounds_published
from fastcollapse.theory.workflow_factors import accumulate_factor, accumulate_limit, accumulate_subsample_factor

__all__ = [
    "accumulate_factor",
    "accumulate_limit",
    "accumulate_subsample_factor",
    "coexistence_bounds",
    "coexistence_bounds_published",
    "collapsed_share_threshold",
    "curated_fixation",
    "curated_law",
    "curation_fixed_point",
    "curation_path",
    "entropy_loss",
    "entropy_path",
    "entropy_slope",
    "exact_chain",
    "exact_survival_truncated",
    "exact_unique_symbols",
    "expected_heterozygosity",
    "forgetting_cdf",
    "forgetting_median_law",
    "forgetting_quantile",
    "forgetting_quantile_expansion",
    "fresh_limit",
    "g",
    "g_at",
    "g_bounds",
    "g_bounds_published",
    "g_inverse",
    "heterozygosity_replace",
    "kimura_fixation",
    "late_entropy",
    "lost_mass_bounds",
    "mean_absorption",
    "mean_absorption_given_extinction",
    "mean_absorption_given_fixation",
    "mean_first_loss",
    "mean_total_collapse",
    "mean_total_collapse_uniform",
    "not_collapsed_bounds",
    "phi",
    "poisson_count_law",
    "poisson_mean_if_alive",
    "poisson_rate_variance",
    "poisson_survival",
    "sd_total_collapse",
    "seddik_bounds",
    "seddik_bounds_sharp",
    "seddik_partial_limit",
    "seddik_partial_variance",
    "survival_bounds",
    "survival_bounds_published",
    "tempered_absorption",
    "tempered_accumulate_variance",
    "tempered_covariance",
    "tempered_eigenvalue",
    "tempered_fixed_point",
    "tempered_law",
    "tempered_multiplier",
    "tempered_noise_path",
    "tempered_stationary_variance",
    "tempered_uniform_noise",
    "uniform_share_threshold",
    "unique_symbols_bounds",
    "unique_symbols_bounds_published",
    "zipf_lost_mass",
]
