"""Theory of a run of kernel density estimates: errors, moments and bounds of each generation, float64 [T+1]."""

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from fastcollapse.analysis.panels.schedules import cached_by_results, schedule_of
from fastcollapse.errors import InputError
from fastcollapse.models.kde.bandwidths import bandwidths
from fastcollapse.simulation.recorded_run import RecordedRun
from fastcollapse.theory.density.likelihood import kde_nll_bounds, kde_nll_bounds_shape
from fastcollapse.theory.density.mise import kde_mise, kde_mise_shape, kde_mmd_square
from fastcollapse.theory.density.moments import kde_scaled_within_variance, kde_second_moment, kde_within_variance
from fastcollapse.theory.density.shapes import Shape

# Width of the kernel of the discrepancy that runs record.
_MMD_WIDTH = 0.5
_LEAST_NOISE, _MOST_NOISE = 0.01, 10.0
# Theory of a shape has a characteristic function for each size of its evenly placed batches.
_MOST_SIZES = 16


class _Setting(NamedTuple):
    """What theory needs of a run.

    Parameters
    ----------
    arguments : of `kde_mise`, without the truth; None where theory does not cover the schedule or the bandwidth.
    is_even : whether real points are placed evenly.
    shape : of a truth that is a shape with a known characteristic function, or None.
    mixture : weights, means and covariances of a truth that is a mixture, or None.
    variance : of a coordinate of the truth, averaged over the coordinates, NaN where it is not known.
    dimension : number of coordinates, 0 where it is not known.
    """

    arguments: dict[str, Any] | None
    is_even: bool
    shape: dict[str, Any] | None
    mixture: dict[str, Any] | None
    variance: float
    dimension: int


@cached_by_results
def setting_of(results: RecordedRun) -> _Setting:
    """Return what theory needs of a run."""
    truth: Any = results.experiment.truth
    schedule = schedule_of(results)
    shape = mixture = None
    dimension, variance, is_even = 0, float("nan"), False
    if truth.rows is None:
        loaded = truth.load()
        dimension, is_even = loaded.dimension, bool(loaded.even)
        if truth.normal_mixture is not None:
            mixture = dict(zip(("weights", "means", "covariances"), truth.normal_mixture.arrays(), strict=True))
        variance = float(loaded.moments(loaded.means[None])[1].mean())
        if truth.shape == "blobs" or (
            truth.shape in ("circles", "moons") and _LEAST_NOISE <= loaded.noise <= _MOST_NOISE
        ):
            placement = "even" if is_even else "iid"
            shape = {"shape": truth.shape, "noise": max(loaded.noise, _LEAST_NOISE), "placement": placement}
            variance = Shape.of(shape["shape"], shape["noise"], "iid").moments(1)[0]
    covered = schedule.weight is None and not schedule.window and not schedule.discount and not schedule.start_with_data
    model: Any = results.experiment.model
    has_bandwidths = model.bandwidth != "scaled" and (dimension > 0 or not isinstance(model.bandwidth, str))
    arguments = None
    if covered and not schedule.optimal and has_bandwidths:
        arguments = {
            "bandwidth": bandwidths(model, schedule, dimension),
            "n_synthetic": schedule.n_synthetic,
            "n_real": schedule.n_real,
            "keep": np.where(np.arange(schedule.n_generations) == 0, 0, schedule.keep),
            "n_train": schedule.n_train,
            "replacement": schedule.replacement,
            "real": schedule.real,
        }
        if schedule.real_share is not None:
            arguments["real_share"] = schedule.real_share
    return _Setting(arguments, is_even, shape, mixture, variance, dimension)


def _in_domain(compute: Callable[[], np.ndarray], unknown: np.ndarray) -> np.ndarray:
    """Return what a theory function computes, NaN for a run outside its domain, such as one of bandwidth 1e-9."""
    try:
        return compute()
    except InputError:
        return unknown


def _unknown(results: RecordedRun) -> np.ndarray:
    """Return NaN for each generation."""
    return np.full(schedule_of(results).n_generations + 1, np.nan)


def _has_shape_theory(setting: _Setting) -> bool:
    """Whether the shape of a run has theory for its schedule."""
    arguments = setting.arguments
    if setting.shape is None or arguments is None or "real_share" in arguments:
        return False
    sizes = {int(arguments["n_synthetic"][0]), *arguments["n_real"].tolist()}
    return not setting.is_even or len(sizes) <= _MOST_SIZES


def _has_mixture_theory(setting: _Setting) -> bool:
    """Whether the mixture of a run has theory: in more than three dimensions only if it is isotropic."""
    if setting.mixture is None or setting.arguments is None:
        return False
    covariances = setting.mixture["covariances"]
    return setting.dimension <= 3 or bool((covariances == covariances[:, :1, :1] * np.eye(setting.dimension)).all())


@cached_by_results
def squared_error_of(results: RecordedRun) -> np.ndarray:
    """Return the mean integrated squared error, NaN where it is not known."""
    setting = setting_of(results)
    if _has_mixture_theory(setting):
        exact = functools.partial(kde_mise, **(setting.arguments or {}), **(setting.mixture or {}))
        return _in_domain(exact, _unknown(results))
    if _has_shape_theory(setting):
        exact = functools.partial(kde_mise_shape, **(setting.arguments or {}), **(setting.shape or {}))
        return _in_domain(exact, _unknown(results))
    return _unknown(results)


@cached_by_results
def squared_discrepancy_of(results: RecordedRun) -> np.ndarray:
    """Return the expected square of the maximum mean discrepancy, NaN where it is not known."""
    setting = setting_of(results)
    if not _has_mixture_theory(setting):
        return _unknown(results)
    known = {**(setting.arguments or {}), **(setting.mixture or {}), "width": _MMD_WIDTH}
    return _in_domain(functools.partial(kde_mmd_square, **known), _unknown(results))


@cached_by_results
def nll_bounds_of(results: RecordedRun) -> tuple[np.ndarray, np.ndarray]:
    """Return bounds of the expected negative log density, NaN where there are none and for the truth itself."""
    setting = setting_of(results)
    truth: Any = results.experiment.truth
    lower, upper = _unknown(results), _unknown(results)
    arguments = dict(setting.arguments or {})
    for name in ("n_train", "replacement"):
        arguments.pop(name, None)
    known = arguments | (setting.mixture or setting.shape or {})
    compute: Callable[[], Any] | None = None
    if "real_share" not in arguments:
        if _has_mixture_theory(setting):
            compute = functools.partial(kde_nll_bounds, **known)
        elif _has_shape_theory(setting):
            compute = functools.partial(kde_nll_bounds_shape, **known, n_test=int(truth.n_test))
    if compute is not None:
        lower, upper = _in_domain(compute, np.stack([lower, upper]))
    lower[0] = upper[0] = np.nan
    return lower, upper


@cached_by_results
def moments_of(results: RecordedRun) -> tuple[np.ndarray, np.ndarray]:
    """Return the second moment and the variance of the points, NaN where they are not known."""
    setting, schedule = setting_of(results), schedule_of(results)
    second, within = _unknown(results), _unknown(results)
    arguments, truth = setting.arguments, setting.variance
    if np.isnan(truth):
        return second, within
    sizes = schedule.n_synthetic
    if arguments is None:
        model: Any = results.experiment.model
        if model.bandwidth == "scaled" and schedule.is_replace_only and not np.ptp(sizes) and not setting.is_even:
            n = int(sizes[0])
            factor = float(bandwidths(model, schedule, setting.dimension)[0])
            fits = np.arange(len(sizes) + 1)
            within = _in_domain(lambda: kde_scaled_within_variance(n, fits, factor, truth), within)
        return second, within
    real = pairs = truth
    if setting.is_even:
        if schedule.n_real.any() or schedule.real_share is not None or setting.shape is None:
            return second, within
        real, pairs = Shape.of(**setting.shape).moments(int(sizes[0]))
    plain = {name: value for name, value in arguments.items() if name not in ("n_train", "replacement")}
    second = _in_domain(functools.partial(kde_second_moment, **plain, V=real), second)
    within = _in_domain(functools.partial(kde_within_variance, **arguments, V=real, V_pairs=pairs), within)
    second[0] = within[0] = truth
    return second, within
