"""Refitted kernel density estimates as raw points, for many replicates at once: the definition of the theory."""

import numpy as np


def fits(draw_real, bandwidths, schedule, n_replicates, rng):
    """Yield the points that each generation is fitted to, float64 (R, n, d), before the next one is drawn.

    Parameters
    ----------
    draw_real: (number of points) -> (R, n, d), real points of all replicates
    bandwidths: (T) of the fits
    schedule: n_synthetic, n_real, keep, n_train, real_share (T), replacement and real, as in a `Schedule`
    """
    fixed = draw_real(schedule.n_real[0]) if schedule.real == "fixed" else None
    rows = np.arange(n_replicates)[:, None]
    fitted = pool = None
    for t in range(len(bandwidths)):
        n = schedule.n_synthetic[t]
        if fitted is None:
            batch = draw_real(n)
        else:
            parents = rng.integers(fitted.shape[1], size=(n_replicates, n))
            noise = rng.standard_normal((n_replicates, n, fitted.shape[2]))
            batch = fitted[rows, parents] + bandwidths[t - 1] * noise
            is_real = rng.random((n_replicates, n, 1)) < schedule.real_share[t]
            batch = np.where(is_real, draw_real(n), batch)
        parts = [batch]
        if fixed is not None:
            parts.append(fixed)
        elif schedule.n_real[t]:
            parts.append(draw_real(schedule.n_real[t]))
        if schedule.keep[t] and pool is not None:
            parts.append(pool)
        pool = np.concatenate(parts, axis=1)
        fitted = pool
        if schedule.n_train[t]:
            size = pool.shape[1]
            if schedule.replacement:
                chosen = rng.integers(size, size=(n_replicates, schedule.n_train[t]))
            else:
                chosen = rng.random((n_replicates, size)).argsort(axis=1)[:, : schedule.n_train[t]]
            fitted = pool[rows, chosen]
        yield fitted


def normal_density(squares, variance, dimension):
    """Return the density of Normal(0, variance 1) at vectors of squared lengths `squares`."""
    return np.exp(-squares / 2 / variance) / (2 * np.pi * variance) ** (dimension / 2)


def squared_distances(x, y):
    """Return (..., n, m) squared distances of points (..., n, d) and (..., m, d)."""
    return ((x[..., :, None, :] - y[..., None, :, :]) ** 2).sum(axis=-1)


def integrated_squared_errors(points, h, weights, means, variances, square):
    """Return the integrated squared error of each fit, (R), against a mixture of isotropic normal laws.

    Parameters
    ----------
    points: (R, n, d)
    weights, means, variances: (k), (k, d) or (R, k, d), (k)
    square: integral of the squared density of the mixture, a number or (R)
    """
    d = points.shape[2]
    fit = normal_density(squared_distances(points, points), 2 * h * h, d).mean(axis=(1, 2))
    with_truth = normal_density(squared_distances(points, means), variances + h * h, d) @ weights
    return fit - 2 * with_truth.mean(axis=1) + square


def negative_log_likelihoods(points, h, test):
    """Return the mean negative log density of test points (m, d) or (R, m, d) of each fit, (R)."""
    density = normal_density(squared_distances(test, points), h * h, points.shape[2]).mean(axis=-1)
    return -np.log(density).mean(axis=-1)
