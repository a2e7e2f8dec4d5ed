"""Discrete runs with a map of their samples beside theory: temperature, curation.

Two symbols have exact expectations. Otherwise theory is that of many tokens, which has no score.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from scipy.special import entr, erf

from fastcollapse.analysis.panels.discrete_map_theory import (
    exact_chain,
    fixed_points,
    noise,
    population_path,
    rewards_of,
    threshold_text,
)
from fastcollapse.analysis.panels.family_panels import Maker
from fastcollapse.analysis.panels.panel import Curve, Line, Panel
from fastcollapse.analysis.panels.schedules import sampling_of
from fastcollapse.analysis.panels.scores import EVENTS, curve_of, effective_replicates
from fastcollapse.simulation.recorded_run import RecordedRun

_PATH = "theory: path of many tokens"
# The fewest effective replicates for a score of a quantity that ends at its smallest or largest value.
_EFFECTIVE = 100
# A law [..., K] -> the quantity of a panel [...].
Quantity = Callable[[np.ndarray], np.ndarray]


def map_heterozygosity_panel(
    results: RecordedRun, generations: np.ndarray, options: Mapping[str, Any]
) -> Panel | tuple[()]:
    """Show the heterozygosity: exact for two symbols, with the noise of a temperature, and at the stable laws."""
    return _panel(
        results,
        generations,
        "heterozygosity",
        lambda law: 1 - (law**2).sum(axis=-1),
        ("Probability that two tokens differ", r"heterozygosity $1 - \sum p^2$", "H"),
        lambda law, variance: 1 - (law**2).sum(axis=-1) - variance.sum(axis=-1),
    )


def map_total_variation_panel(
    results: RecordedRun, generations: np.ndarray, options: Mapping[str, Any]
) -> Panel | tuple[()]:
    """Show the total variation from the truth: exact for two symbols, with the noise of a temperature."""
    truth = results.truth.probabilities

    def with_noise(law: np.ndarray, variance: np.ndarray) -> np.ndarray:
        # The mean of |x| of a normal variate.
        shift, sd = law - truth, np.sqrt(np.maximum(variance, 1e-300))
        absolute = sd * np.sqrt(2 / np.pi) * np.exp(-((shift / sd) ** 2) / 2) + shift * erf(shift / sd / np.sqrt(2))
        return np.asarray(absolute.sum(axis=-1) / 2)

    return _panel(
        results,
        generations,
        "total_variation",
        lambda law: np.abs(law - truth).sum(axis=-1) / 2,
        ("Distance to the truth", "total variation", "TV"),
        with_noise,
    )


def map_kl_panel(results: RecordedRun, generations: np.ndarray, options: Mapping[str, Any]) -> Panel | tuple[()]:
    """Show the divergence from the truth, KL(state || truth): exact for two symbols, and the population path."""
    truth = results.truth.probabilities
    logs = np.log(np.where(truth > 0, truth, 1.0))

    def divergence(law: np.ndarray) -> np.ndarray:
        return np.abs((entr(law) + law * logs).sum(axis=-1))

    return _panel(
        results,
        generations,
        "kl_divergence",
        divergence,
        ("Divergence from the truth", r"divergence $\mathrm{KL}(p_t \parallel p_0)$ (nat)", "KL"),
        lambda law, variance: divergence(law) + (variance / np.where(law > 0, law, np.inf)).sum(axis=-1) / 2,
    )


def map_reward_panel(results: RecordedRun, generations: np.ndarray, options: Mapping[str, Any]) -> Panel | tuple[()]:
    """Show the expected reward under curation: exact for two symbols, and the population path."""
    sampling = sampling_of(results)
    if sampling is None or sampling.best_of is None:
        return ()
    rewards = rewards_of(results)
    words = ("Expected reward", r"expected reward $\mathrm{E}\,r$", "E r")
    return _panel(results, generations, "expected_reward", lambda law: law @ rewards, words)


def map_exp_reward_panel(
    results: RecordedRun, generations: np.ndarray, options: Mapping[str, Any]
) -> Panel | tuple[()]:
    """Show the expected e^r under curation, which never falls without real data and noise."""
    sampling = sampling_of(results)
    if sampling is None or sampling.best_of is None:
        return ()
    weights = np.exp(rewards_of(results))
    words = ("Expected $e^r$", r"expected exponential reward $\mathrm{E}\,e^r$", "E e^r")
    return _panel(results, generations, "expected_exp_reward", lambda law: law @ weights, words)


def map_share_panel(results: RecordedRun, generations: np.ndarray, options: Mapping[str, Any]) -> Panel | tuple[()]:
    """Show the share of one symbol, the first by default, beside its path and standard deviation by theory."""
    if sampling_of(results) is None:
        return ()
    symbol, truth = int(options.get("symbol") or 0), results.truth.probabilities
    if "trajectory" not in results.experiment.run.record:
        raise KeyError("trajectory")
    values = np.zeros((results.n_replicates, len(generations)))
    for r in range(results.n_replicates):
        for i, t in enumerate(generations):
            if t == 0:
                values[r, i] = truth[symbol]
                continue
            symbols, counts = results.counts(r, int(t))
            place = np.flatnonzero(symbols == symbol)
            values[r, i] = counts[place[0]] / counts.sum() if place.size else 0.0
    sharp = noise(results)
    lines = _lines(results, generations, lambda law: law[..., symbol], lambda law, variance: law[..., symbol])
    if sharp is not None:
        law, sd = sharp.law[generations, symbol], np.sqrt(sharp.variance[generations, symbol])
        lines += tuple(
            Line(f"theory: path {sign} one standard deviation", law + side * sd, "asymptotic")
            for sign, side in (("plus", 1), ("minus", -1))
        )
    curve = _curve(results, generations, values, lambda law: law[..., symbol])
    title = f"Share of a symbol, $p_0$ = {truth[symbol]:g}"
    return Panel(title, "share of the symbol $P_t$", "share", curve, lines, note=threshold_text(results))


def _panel(
    results: RecordedRun,
    generations: np.ndarray,
    metric: str,
    quantity: Quantity,
    words: tuple[str, str, str],
    with_noise: Callable[[np.ndarray, np.ndarray], np.ndarray] | None = None,
) -> Panel | tuple[()]:
    """Return the panel of a metric that is a function of the law.

    Parameters
    ----------
    words : title, label and heading.
    with_noise : the expectation of the quantity for a normal law with these means and variances, [B, K] each.
    """
    if sampling_of(results) is None:
        return ()
    curve = _curve(results, generations, results.metrics[metric][:, generations], quantity)
    lines = _lines(results, generations, quantity, with_noise)
    return Panel(*words, curve, lines, note=threshold_text(results))


def _curve(results: RecordedRun, generations: np.ndarray, values: np.ndarray, quantity: Quantity) -> Curve:
    """Return the curve of a quantity, exact and scored for two symbols."""
    chain = exact_chain(results)
    expected = np.full(len(generations), np.nan)
    if chain is not None:
        expected = chain.mean(lambda x: quantity(np.stack([x, 1 - x], axis=-1)))[generations]
    # Few replicates away from an end, where a quantity is absorbed, may underestimate their deviation.
    low, high = values.min(), values.max()
    n_effective = np.minimum(effective_replicates(values - low), effective_replicates(high - values))
    rule = f"a score needs {_EFFECTIVE} effective replicates away from either end"
    is_scored = (n_effective >= _EFFECTIVE) & (results.n_replicates >= EVENTS)
    return curve_of(generations, values, None, None, expected, is_scored, rule)


def _lines(
    results: RecordedRun,
    generations: np.ndarray,
    quantity: Quantity,
    with_noise: Callable[[np.ndarray, np.ndarray], np.ndarray] | None,
) -> tuple[Line, ...]:
    """Return the theory of many tokens, with its noise if it is known, and the stable laws as limits."""
    path, sharp = population_path(results), noise(results)
    lines: tuple[Line, ...] = ()
    if sharp is not None and with_noise is not None:
        values = with_noise(sharp.law[generations], sharp.variance[generations])
        lines = (Line("theory: many tokens, with sampling noise", values, "asymptotic"),)
    elif path is not None and sharp is None:
        lines = (Line(_PATH, quantity(path[generations]), "asymptotic"),)
    limits = {label: float(quantity(law)) for label, law in fixed_points(results).items()}
    # No line at the axis, where the law of the truth itself has a distance of 0.
    return lines + tuple(
        Line(label, np.full(len(generations), value), "limit") for label, value in limits.items() if value
    )


MAP_PANELS: dict[str, Maker] = {
    "map_reward": map_reward_panel,
    "map_exp_reward": map_exp_reward_panel,
    "map_heterozygosity": map_heterozygosity_panel,
    "map_total_variation": map_total_variation_panel,
    "map_kl": map_kl_panel,
    "map_share": map_share_panel,
}
