"""Theory of linear regression that is refitted to its own labels.

The expected error of least squares under any schedule:
    expected_regression
Its closed forms under accumulate, subsampling and real rows:
    accumulate_error, accumulate_error_limit, accumulate_error_variance, min_norm_same_rows_error,
    min_norm_accumulate_error, subsample_error, mix_error, mix_contraction, mix_fixed_error
Exact laws and moments of a chain of least-squares generators:
    ols_error_mean, ols_error_variance, ols_norm_moments, ols_error_cdf, ols_error_quantile,
    isotropic_chain_means, isotropic_chain_variances
Chains with a ridge or few rows, in high dimensions:
    chain_means, chain_moments, chain_test_means, dependent_ridge_means
Chains on labels that mix real and synthetic ones:
    mixed_label_moments, mixed_label_error, mixed_label_means, best_label_weight, kernel_label_error
Fine-tuning, a ridge towards earlier weights:
    fine_tuned_error, nearest_fit_error, fine_tuning_threshold, nearest_chain_error
Strong collapse, fits to real and synthetic rows together:
    mixed_row_parts, mixed_rows_factor, strong_collapse_plateau, best_mixed_ridge
The test error of a ridge fit, in high dimensions:
    ridge_equivalents, ridge_test_error, isotropic_equivalents, effective_ridge, degrees_of_freedom, rows_left
The optimal ridge:
    optimal_ridge, isotropic_optimal_ridge
Scaling laws of power-law spectra:
    power_law, power_law_equivalents, error_exponent, best_exponents, crossover_samples

`help` of a function explains its own arguments; those that a module shares are in the `Notation` of the module.
"""

from fastcollapse.theory.regression.chain_asymptotic import chain_means, chain_moments, chain_test_means
from fastcollapse.theory.regression.chain_exact import ols_error_mean, ols_error_variance, ols_norm_moments
from fastcollapse.theory.regression.effective_ridge import degrees_of_freedom, effective_ridge, rows_left
from fastcollapse.theory.regression.error_distribution import ols_error_cdf, ols_error_quantile
from fastcollapse.theory.regression.fine_tuning import (
    fine_tuned_error,
    fine_tuning_threshold,
    nearest_chain_error,
    nearest_fit_error,
)
from fastcollapse.theory.regression.isotropic import isotropic_chain_means, isotropic_chain_variances
from fastcollapse.theory.regression.kernel_labels import kernel_label_error
from fastcollapse.theory.regression.mixed_labels import (
    best_label_weight,
    mixed_label_error,
    mixed_label_means,
    mixed_label_moments,
)
from fastcollapse.theory.regression.mixed_rows import mixed_rows_factor
from fastcollapse.theory.regression.optimal_ridge import isotropic_optimal_ridge, optimal_ridge
from fastcollapse.theory.regression.real_data import mix_contraction, mix_error, mix_fixed_error
from fastcollapse.theory.regression.ridge_risk import isotropic_equivalents, ridge_equivalents, ridge_test_error
from fastcollapse.theory.regression.scaling_laws import (
    best_exponents,
    crossover_samples,
    error_exponent,
    power_law,
    power_law_equivalents,
)
from fastcollapse.theory.regression.schedule import expected_regression
from fastcollapse.theory.regression.shared_design import dependent_ridge_means
from fastcollapse.theory.regression.strong_collapse import (
    best_mixed_ridge,
    mixed_row_parts,
    strong_collapse_plateau,
)
from fastcollapse.theory.regression.workflows import (
    accumulate_error,
    accumulate_error_limit,
    accumulate_error_variance,
    min_norm_accumulate_error,
    min_norm_same_rows_error,
    subsample_error,
)

__all__ = [
    "accumulate_error",
    "accumulate_error_limit",
    "accumulate_error_variance",
    "best_exponents",
    "best_label_weight",
    "best_mixed_ridge",
    "chain_means",
    "chain_moments",
    "chain_test_means",
    "crossover_samples",
    "degrees_of_freedom",
    "dependent_ridge_means",
    "effective_ridge",
    "error_exponent",
    "expected_regression",
    "fine_tuned_error",
    "fine_tuning_threshold",
    "isotropic_chain_means",
    "isotropic_chain_variances",
    "isotropic_equivalents",
    "isotropic_optimal_ridge",
    "kernel_label_error",
    "min_norm_accumulate_error",
    "min_norm_same_rows_error",
    "mix_contraction",
    "mix_error",
    "mix_fixed_error",
    "mixed_label_error",
    "mixed_label_means",
    "mixed_label_moments",
    "mixed_row_parts",
    "mixed_rows_factor",
    "nearest_chain_error",
    "nearest_fit_error",
    "ols_error_cdf",
    "ols_error_mean",
    "ols_error_quantile",
    "ols_error_variance",
    "ols_norm_moments",
    "optimal_ridge",
    "power_law",
    "power_law_equivalents",
    "ridge_equivalents",
    "ridge_test_error",
    "rows_left",
    "strong_collapse_plateau",
    "subsample_error",
]
