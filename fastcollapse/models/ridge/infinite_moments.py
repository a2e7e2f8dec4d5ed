"""Detection of least-squares fits whose error moments are infinite (sample size close to the dimension).

The error of a fit to n samples of d normal inputs is a ratio of chi-square variates. Its k-th moment is finite if and
only if the denominator has more than 2k degrees of freedom; it has |n - d| + 1. Inputs with another density behave in
the same way. For inputs with finitely many values all moments are finite.
"""

from typing import NamedTuple

import numpy as np

from fastcollapse.config.schedule import Schedule
from fastcollapse.models.ridge.parameters import RidgeParameters
from fastcollapse.models.ridge.truth import Regression

# Laws of the inputs with finitely many values.
_FINITE = ("rademacher", "rows")


def infinite_moment_warnings(truth: Regression, parameters: RidgeParameters, schedule: Schedule) -> list[str]:
    """Return a message for each sample size whose fits have errors of infinite mean or variance.

    Parameters
    ----------
    truth : dimension and law of the inputs.
    parameters : noise, ridge and downstream predictor.
    schedule : the workflow as arrays over generations.
    """
    d, messages = truth.dimension, []
    if truth.design in _FINITE:
        return []
    for fit in _fits(d, parameters, schedule) if parameters.ridge == 0 else ():
        if fit.is_noisy and fit.least.size:
            rows = np.clip(d, fit.least, fit.most)
            near = int(rows[np.abs(rows - d).argmin()])
            noun = "samples" if (fit.least == fit.most).all() else "different samples"
            messages += _message(f"{fit.key}: the fit to {near:,} {noun}", near, d, "generator_error")
    mixed = parameters.mixed_labels
    if mixed is not None and not mixed.ridges().all() and parameters.sigma + parameters.synthetic_noise > 0:
        near = int(schedule.n_synthetic[np.abs(schedule.n_synthetic - d).argmin()])
        messages += _message(f"workflow.n_samples: the fit to {near:,} samples without a ridge", near, d, "mixed_error")
    down = parameters.downstream
    if down is not None:
        for n, ridges, synthetic in zip(down.sizes().tolist(), down.ridges(), down.synthetic_sizes(), strict=True):
            # Without noise the fit is a projection, and its error is bounded, unless labels of two kinds disagree.
            disagree = bool(((synthetic > 0) & (synthetic < n)).any()) and down.delta != 0
            noisy = parameters.sigma > 0 or (down.is_mixed and parameters.synthetic_noise > 0 and synthetic.any())
            if not ridges.all() and (noisy or disagree):
                where = f"model.downstream.n_samples: the fit to {n:,} samples without a ridge"
                messages += _message(where, n, d, "test_error")
    return messages


class _Fit(NamedTuple):
    """A fit of generations: its key, bounds of its number of distinct rows, and whether its labels have noise."""

    key: str
    least: np.ndarray
    most: np.ndarray
    is_noisy: bool


def _fits(d: int, parameters: RidgeParameters, schedule: Schedule) -> list[_Fit]:
    """Return the fits of generations: one to all rows, or with weights one to each part that has a weight."""
    same = parameters.designs == "dependent"
    least, most = schedule.distinct_rows(same)
    if schedule.weight is None:
        # If a generation has fewer rows than inputs, its weights differ from w0: real and synthetic labels contradict.
        mixed = bool(schedule.n_real.any() or schedule.n_train.any()) and int(least.min()) < d
        noisy = parameters.synthetic_noise > 0 or (parameters.sigma > 0 and bool(schedule.n_real.any())) or mixed
        return [_Fit(schedule.size_key(int(least.argmin())), least, most, noisy)]
    has_real, has_both = schedule.n_real > 0, (schedule.n_real > 0) & (schedule.synthetic_sizes() > 0)
    pools = (schedule.n_synthetic if same else schedule.synthetic_sizes()).astype(np.int64)
    synthetic = pools[(pools > 0) & ~(has_both & (schedule.weight == 1))]
    real = schedule.n_real[has_real & ~(has_both & (schedule.weight == 0))]
    # Labels of several generations contradict each other in the same way.
    mixed = bool(schedule.keep[1:].any()) and int(np.concatenate([synthetic, real]).min(initial=d)) < d
    return [
        _Fit("workflow.n_samples", synthetic, synthetic, parameters.synthetic_noise > 0 or mixed),
        _Fit("workflow.n_real", real, real, parameters.sigma > 0),
    ]


def _message(what: str, n: int, d: int, metric: str) -> list[str]:
    if abs(n - d) > 3:
        return []
    moment = "mean" if abs(n - d) <= 1 else "variance"
    return [f"{what} of {d:,} inputs has an infinite {moment} of {metric}: medians and quantiles say more than means"]
