"""Which moments of the error of a least-squares fit are infinite: those of fits to about as many samples as inputs.

The error of a fit to n samples of d normal inputs is chi-square over chi-square, whose k-th moment is finite if and
only if that below has more than 2k degrees: |n - d| + 1. Inputs of another density are as likely to be nearly
singular; those of finitely many values have all moments."""

from typing import Any

import numpy as np

from fastcollapse.models.ridge.parameters import RidgeParameters
from fastcollapse.models.ridge.truth import Regression

_FINITE = ("rademacher", "rows")


def heavy_tails(truth: Regression, parameters: RidgeParameters, schedule: Any) -> list[str]:
    """Return a line for each number of samples whose fits have errors of infinite mean or variance.

    Parameters
    ----------
    truth : number and law of the inputs.
    parameters : noise, ridge, downstream.
    schedule : the workflow as arrays over generations.
    """
    d, lines = truth.dimension, []
    if truth.design in _FINITE:
        return []
    least, most = schedule.distinct_rows(parameters.designs == "dependent")
    # Labels of two truths do not fit together where a generation has too few rows to see all of the first.
    mixed = bool(schedule.n_real.any() or schedule.n_train.any()) and int(least.min()) < d
    noisy = parameters.synthetic_noise > 0 or (parameters.sigma > 0 and schedule.n_real.any()) or mixed
    if parameters.ridge == 0 and noisy:
        key = "workflow.n_train" if schedule.n_train.any() else "workflow.n_samples"
        rows = np.clip(d, least, most)
        near = int(rows[np.abs(rows - d).argmin()])
        words = "samples" if (least == most).all() else "different samples"
        lines += _line(f"{key}: the fit to {near:,} {words}", near, d, "generator_error")
    down = parameters.downstream
    # Without noise of its own the fit is a projection of the generator's weights, and no longer than they are.
    if down is not None and parameters.sigma > 0:
        for n, ridges in zip(down.sizes().tolist(), down.ridges(), strict=True):
            if not ridges.all():
                where = f"model.downstream.n_samples: the fit to {n:,} samples without a ridge"
                lines += _line(where, n, d, "test_error")
    return lines


def _line(what: str, n: int, d: int, metric: str) -> list[str]:
    if abs(n - d) > 3:
        return []
    moment = "mean" if abs(n - d) <= 1 else "variance"
    return [f"{what} of {d:,} inputs has an infinite {moment} of {metric}: medians and quantiles say more than means"]
