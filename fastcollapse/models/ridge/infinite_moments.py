"""Detection of least-squares fits whose error moments are infinite (sample size close to the dimension).

The error of a fit to n samples of d normal inputs is a ratio of chi-square variates. Its k-th moment is finite if and
only if the denominator has more than 2k degrees of freedom; it has |n - d| + 1. Inputs with another density behave in
the same way. For inputs with finitely many values all moments are finite.
"""

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
    least, most = schedule.distinct_rows(parameters.designs == "dependent")
    # If a generation has fewer rows than inputs, its weights differ from w0, and real labels contradict synthetic ones.
    mixed = bool(schedule.n_real.any() or schedule.n_train.any()) and int(least.min()) < d
    noisy = parameters.synthetic_noise > 0 or (parameters.sigma > 0 and schedule.n_real.any()) or mixed
    if parameters.ridge == 0 and noisy:
        key = "workflow.n_train" if schedule.n_train.any() else "workflow.n_samples"
        rows = np.clip(d, least, most)
        near = int(rows[np.abs(rows - d).argmin()])
        noun = "samples" if (least == most).all() else "different samples"
        messages += _message(f"{key}: the fit to {near:,} {noun}", near, d, "generator_error")
    down = parameters.downstream
    # Without noise the downstream fit is a projection of the weights of the generator, and its error is bounded.
    if down is not None and parameters.sigma > 0:
        for n, ridges in zip(down.sizes().tolist(), down.ridges(), strict=True):
            if not ridges.all():
                where = f"model.downstream.n_samples: the fit to {n:,} samples without a ridge"
                messages += _message(where, n, d, "test_error")
    return messages


def _message(what: str, n: int, d: int, metric: str) -> list[str]:
    if abs(n - d) > 3:
        return []
    moment = "mean" if abs(n - d) <= 1 else "variance"
    return [f"{what} of {d:,} inputs has an infinite {moment} of {metric}: medians and quantiles say more than means"]
