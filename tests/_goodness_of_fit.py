"""Goodness-of-fit tests for random variates; each returns a p-value or z-scores."""

import numpy as np
from scipy import stats

# Minimum expected count of a cell; smaller neighbouring cells are pooled.
_LEAST_EXPECTED = 10.0


def chi_square_p(observed, probability):
    """Return the p-value of Pearson's test of multinomial counts `observed` with `probability` (sum 1 or less)."""
    observed = np.append(np.asarray(observed, dtype=float), 0.0)
    probability = np.append(np.asarray(probability, dtype=float), max(0.0, 1.0 - np.sum(probability)))
    total = observed.sum()
    seen, wanted = [0.0], [0.0]
    for count, expected in zip(observed, probability * total, strict=True):
        seen[-1] += count
        wanted[-1] += expected
        if wanted[-1] >= _LEAST_EXPECTED:
            seen.append(0.0)
            wanted.append(0.0)
    last_seen, last_wanted = seen.pop(), wanted.pop()
    seen[-1] += last_seen
    wanted[-1] += last_wanted
    assert len(seen) > 1, "one cell tests nothing"
    statistic = sum((s - w) ** 2 / w for s, w in zip(seen, wanted, strict=True))
    return stats.chi2.sf(statistic, len(seen) - 1)


def variates_p(variates, law):
    """Return the p-value of the chi-square test of integer `variates` against the frozen SciPy law `law`."""
    low, high = int(law.ppf(1e-7)), int(law.ppf(1 - 1e-7))
    # At most 200 cells, so that a law over thousands of values is tested where it has most probability.
    step = max(1, (high - low) // 200)
    edges = np.arange(low, high + step, step)
    probability = np.diff(np.concatenate([[0.0], law.cdf(edges), [1.0]]))
    cells = np.searchsorted(edges, variates, side="left")
    return chi_square_p(np.bincount(cells, minlength=len(edges) + 1), probability)


def two_sample_p(first, second):
    """Return the p-value of the chi-square test that two samples of integer labels have the same law."""
    labels, where = np.unique(np.concatenate([first, second]), return_inverse=True)
    table = np.stack([np.bincount(part, minlength=len(labels)) for part in (where[: len(first)], where[len(first) :])])
    often = table.sum(axis=0) >= 2 * _LEAST_EXPECTED
    pooled = np.column_stack([table[:, often], table[:, ~often].sum(axis=1)])
    pooled = pooled[:, pooled.sum(axis=0) > 0]
    return stats.chi2_contingency(pooled, correction=False).pvalue


def z_scores(samples, expected, rounding=0.0):
    """Return (mean - expected) in standard errors of the mean over axis 0; `rounding` is a known error of
    `expected`."""
    difference = samples.mean(axis=0) - expected
    difference = np.sign(difference) * np.maximum(0.0, np.abs(difference) - rounding)
    error = samples.std(axis=0, ddof=1) / np.sqrt(len(samples))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(difference == 0, 0.0, difference / error)
