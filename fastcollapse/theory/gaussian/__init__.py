"""Theory of refitted Gaussians and symmetric Gaussian mixtures.

The expected variance and squared error of the mean under any schedule:
    expected_gaussian
Their closed forms and limits by workflow:
    gaussian_replace_factor, gaussian_accumulate_factor, gaussian_accumulate_limit, gaussian_subsample_factor,
    gaussian_subsample_limit, conserved_mean_error, risk_factor
The same with real data in every generation:
    gaussian_fresh_moments, gaussian_fresh_limits, gaussian_fixed_moments, gaussian_fixed_limits,
    fresh_risk_factor
A bias of the deviation of samples:
    bias_replace_variance, bias_replace_log_sigma, bias_accumulate_moments, bias_accumulate_power_law,
    bias_fresh_moments, bias_fresh_limit
A verifier, a tilt or a filter of samples:
    verifier_path, tilted_mean, truncated_variance_factor
Moments of the univariate Gaussian (replace):
    log_sigma_mean, log_sigma_variance, log_sigma_moment, sigma_moment, variance_mean,
    mean_squared_error_of_mean, wasserstein2_mean, shumailov_wasserstein2
The covariance in d dimensions (replace):
    log_det_mean, log_det_variance, log_pseudo_det_mean, log_pseudo_det_variance, elementary_symmetric_factor,
    trace_moments, lyapunov_exponents
The probability that the standard deviation exceeds a threshold, and the time to collapse:
    tail_exact, tail_chernoff, tail_power, tail_bertrand, tail_theorem3, chernoff_power, median_collapse_time
The symmetric mixture of two Gaussians:
    tail_theorem4, mixture_kurtosis, ml_root_exists, approximate_ml_kappa, approximate_joint_ml
Moments of the logarithm of a chi variable:
    log_chi_mean, log_chi_variance, log_chi_moment

`help` of a function explains its own arguments; those that a module shares are in the `Notation` of the module.
"""

from fastcollapse.theory.gaussian.collapse_time import median_collapse_time, tail_exact
from fastcollapse.theory.gaussian.log_chi import log_chi_mean, log_chi_moment, log_chi_variance
from fastcollapse.theory.gaussian.mixture import (
    approximate_joint_ml,
    approximate_ml_kappa,
    mixture_kurtosis,
    ml_root_exists,
    tail_theorem4,
)
from fastcollapse.theory.gaussian.multivariate import (
    elementary_symmetric_factor,
    log_det_mean,
    log_det_variance,
    log_pseudo_det_mean,
    log_pseudo_det_variance,
    lyapunov_exponents,
    trace_moments,
)
from fastcollapse.theory.gaussian.real_data import (
    fresh_risk_factor,
    gaussian_fixed_limits,
    gaussian_fixed_moments,
    gaussian_fresh_limits,
    gaussian_fresh_moments,
)
from fastcollapse.theory.gaussian.sampling_bias import (
    bias_accumulate_moments,
    bias_accumulate_power_law,
    bias_fresh_limit,
    bias_fresh_moments,
    bias_replace_log_sigma,
    bias_replace_variance,
)
from fastcollapse.theory.gaussian.schedule import expected_gaussian
from fastcollapse.theory.gaussian.tail_bounds import (
    chernoff_power,
    tail_bertrand,
    tail_chernoff,
    tail_power,
    tail_theorem3,
)
from fastcollapse.theory.gaussian.univariate import (
    log_sigma_mean,
    log_sigma_moment,
    log_sigma_variance,
    mean_squared_error_of_mean,
    shumailov_wasserstein2,
    sigma_moment,
    variance_mean,
    wasserstein2_mean,
)
from fastcollapse.theory.gaussian.verifier import tilted_mean, truncated_variance_factor, verifier_path
from fastcollapse.theory.gaussian.workflows import (
    conserved_mean_error,
    gaussian_accumulate_factor,
    gaussian_accumulate_limit,
    gaussian_replace_factor,
    gaussian_subsample_factor,
    gaussian_subsample_limit,
)
from fastcollapse.theory.workflow_factors import risk_factor

__all__ = [
    "approximate_joint_ml",
    "approximate_ml_kappa",
    "bias_accumulate_moments",
    "bias_accumulate_power_law",
    "bias_fresh_limit",
    "bias_fresh_moments",
    "bias_replace_log_sigma",
    "bias_replace_variance",
    "chernoff_power",
    "conserved_mean_error",
    "elementary_symmetric_factor",
    "expected_gaussian",
    "fresh_risk_factor",
    "gaussian_accumulate_factor",
    "gaussian_accumulate_limit",
    "gaussian_fixed_limits",
    "gaussian_fixed_moments",
    "gaussian_fresh_limits",
    "gaussian_fresh_moments",
    "gaussian_replace_factor",
    "gaussian_subsample_factor",
    "gaussian_subsample_limit",
    "log_chi_mean",
    "log_chi_moment",
    "log_chi_variance",
    "log_det_mean",
    "log_det_variance",
    "log_pseudo_det_mean",
    "log_pseudo_det_variance",
    "log_sigma_mean",
    "log_sigma_moment",
    "log_sigma_variance",
    "lyapunov_exponents",
    "mean_squared_error_of_mean",
    "median_collapse_time",
    "mixture_kurtosis",
    "ml_root_exists",
    "risk_factor",
    "shumailov_wasserstein2",
    "sigma_moment",
    "tail_bertrand",
    "tail_chernoff",
    "tail_exact",
    "tail_power",
    "tail_theorem3",
    "tail_theorem4",
    "tilted_mean",
    "trace_moments",
    "truncated_variance_factor",
    "variance_mean",
    "verifier_path",
    "wasserstein2_mean",
]
