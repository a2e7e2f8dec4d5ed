"""Theory of a discrete run with a map: population path, noise about it, fixed points, and two symbols exactly."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from fastcollapse.analysis.panels.schedules import cached_by_results, needs_beside_maps, sampling_of, schedule_of
from fastcollapse.config.sampling import BestOf
from fastcollapse.config.schedule import Schedule
from fastcollapse.errors import InputError
from fastcollapse.models.discrete.rewards import rank_rewards
from fastcollapse.simulation.recorded_run import RecordedRun
from fastcollapse.theory.absorbing_chain import binomial_rows, count_laws, count_logits
from fastcollapse.theory.discrete.curation import curated_law, curation_fixed_point
from fastcollapse.theory.discrete.external_share import (
    collapsed_share_threshold,
    tempered_fixed_point,
    tempered_multiplier,
    uniform_share_threshold,
)
from fastcollapse.theory.discrete.stationary_noise import tempered_noise_path
from fastcollapse.theory.discrete.temperature import tempered_law
from fastcollapse.theory.discrete.tempered_accumulation import tempered_accumulate_variance

# The most cells of a path (symbols times generations), and the most work of the matrices of its noise.
_PATH_CELLS, _NOISE_WORK = 20_000_000, 2e10
# The most symbols of an array over pairs of symbols.
_MOST_SYMBOLS = 300
# The largest chain of two symbols, and the most work of its matrix.
_CHAIN_N, _CHAIN_WORK = 500, 1_000_000_000
# Linear noise is a theory as long as its variance is at most this share of the heterozygosity.
_LINEAR = 0.02


class Noise(NamedTuple):
    """Path without noise and variances about it, float64 [T+1, K] each; NaN where the noise is not small."""

    law: np.ndarray
    variance: np.ndarray


class Chain(NamedTuple):
    """Exact law of the share of the first of two symbols: shares [m], and probabilities [T+1, m]."""

    shares: np.ndarray
    laws: np.ndarray

    def mean(self, function: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
        """Return the expectation of a function of the share in each generation."""
        return self.laws @ function(self.shares)


def rewards_of(results: RecordedRun) -> np.ndarray:
    """Return the reward of each symbol of a run with curation, float64 [K]."""
    sampling = sampling_of(results)
    best_of = sampling.best_of if sampling is not None else None
    assert isinstance(best_of, BestOf)
    if isinstance(best_of.reward, str):
        return rank_rewards(results.truth.probabilities)
    return np.asarray(best_of.reward, dtype=np.float64)


def mapped(results: RecordedRun, law: np.ndarray) -> np.ndarray:
    """Return the law of a token that is drawn from a law through the maps of a run."""
    sampling = sampling_of(results)
    assert sampling is not None
    if sampling.temperature is not None:
        law = tempered_law(law, sampling.temperature)
    if sampling.best_of is not None:
        law = curated_law(law, rewards_of(results), sampling.best_of.k, sampling.best_of.rule)
    return law


def external_share(schedule: Schedule) -> tuple[np.ndarray, str] | None:
    """Return the share of real data in each generation, float64 [T], and how it is mixed; None with other data."""
    if schedule.first_is_real:
        return None
    needs = needs_beside_maps(schedule)
    if needs == {"real_share"} and schedule.real_share is not None:
        return schedule.real_share, "tokens"
    if needs <= {"fresh_real"}:
        return schedule.n_real / (schedule.n_real + schedule.n_synthetic), "sizes"
    return None


@cached_by_results
def population_path(results: RecordedRun) -> np.ndarray | None:
    """Return the law of infinitely many tokens in each generation, float64 [T+1, K]; None if it is not known."""
    sampling, share = sampling_of(results), external_share(schedule_of(results))
    truth, last = results.truth.probabilities, results.last
    if sampling is None or share is None or set(sampling.maps) - {"temperature", "best_of"}:
        return None
    if (last + 1) * truth.size > _PATH_CELLS:
        return None
    path = np.empty((last + 1, truth.size))
    path[0] = truth / truth.sum()
    for t in range(last):
        path[t + 1] = (1 - share[0][t]) * mapped(results, path[t]) + share[0][t] * path[0]
        path[t + 1] /= path[t + 1].sum()
    return path


@cached_by_results
def noise(results: RecordedRun) -> Noise | None:
    """Return the linear noise about the path of a run at a temperature; None if it is not known."""
    schedule, sampling, path = schedule_of(results), sampling_of(results), population_path(results)
    mixed = external_share(schedule)
    if sampling is not None and sampling.maps == ("temperature",) and _is_uniform_pool(results):
        n, rho = int(schedule.n_synthetic[0]), 1 / (sampling.temperature or 1.0)
        start = np.tile(results.truth.probabilities, (results.last + 1, 1))
        fits = np.arange(results.last)
        variance = np.append(0.0, tempered_accumulate_variance(n, n, rho, float(start[0, 0]), fits))
        return _linear(start, np.repeat(variance[:, None], start.shape[1], axis=1))
    if path is None or mixed is None or sampling is None or sampling.maps != ("temperature",):
        return None
    share, mixing = mixed[0][: results.last], mixed[1]
    sizes = (schedule.n_synthetic + schedule.n_real)[: results.last]
    temperature = sampling.temperature or 1.0
    truth = path[0]
    is_small = truth.size <= _MOST_SYMBOLS and truth.size**3 * float(len(path)) <= _NOISE_WORK
    if np.ptp(truth) > 1e-15 and not is_small:
        return None
    with np.errstate(over="ignore", invalid="ignore"):
        _, variances = tempered_noise_path(truth, share, temperature, sizes, results.last, mixing)
    return _linear(path, variances)


def _linear(path: np.ndarray, variances: np.ndarray) -> Noise:
    """Return the noise up to the generation where it is no longer linear; later variances are wrong too."""
    small = variances.sum(axis=1) <= _LINEAR * (1 - (path**2).sum(axis=1))
    small = np.logical_and.accumulate(small)[:, None]
    return Noise(np.where(small, path, np.nan), np.where(small, variances, np.nan))


def _is_uniform_pool(results: RecordedRun) -> bool:
    """Whether equal batches accumulate from a uniform law, and none is dropped."""
    schedule, truth = schedule_of(results), results.truth.probabilities
    needs = needs_beside_maps(schedule)
    is_pool = needs == {"pool"} and schedule.first_is_real and bool(schedule.keep[1:].all())
    is_small = (results.last + 1) * truth.size <= _PATH_CELLS
    return is_pool and is_small and not np.ptp(schedule.n_synthetic) and np.ptp(truth) <= 1e-15


@cached_by_results
def exact_chain(results: RecordedRun) -> Chain | None:
    """Return the exact law of two symbols with the same sizes and share of real data in each generation, or None."""
    schedule, truth = schedule_of(results), results.truth.probabilities
    mixed, path = external_share(schedule), population_path(results)
    if mixed is None or path is None or truth.size != 2 or (truth == 0).any():
        return None
    n, n_real, (share, mixing) = int(schedule.n_synthetic[0]), int(schedule.n_real[0]), mixed
    same = not (np.ptp(schedule.n_synthetic) or np.ptp(schedule.n_real) or np.ptp(share))
    size = n + n_real
    if not same or size > _CHAIN_N or size * size * results.last > _CHAIN_WORK:
        return None
    sampling = sampling_of(results)
    shares = np.arange(size + 1) / size
    if sampling is not None and sampling.maps == ("temperature",):
        logits = count_logits(size) / (sampling.temperature or 1.0)
        start = np.log(truth[0] / truth[1]) / (sampling.temperature or 1.0)
    else:
        with np.errstate(divide="ignore"):
            laws = np.log([mapped(results, np.array([x, 1 - x])) for x in [*shares, float(truth[0])]])
        logits, start = np.split(laws[:, 0] - laws[:, 1], [size + 1])
    logits = np.append(logits, start)
    if mixing == "tokens":
        success = (1 - share[0]) / (1 + np.exp(-logits)) + share[0] * truth[0]
        with np.errstate(divide="ignore"):
            logits = np.log(success) - np.log1p(-success)
    rows = binomial_rows(n, logits)
    if n_real:
        real = binomial_rows(n_real, np.log(truth[:1] / truth[1:]))[0]
        rows = np.array([np.convolve(row, real) for row in rows])
    laws = count_laws(size, rows[-1], rows[:-1], results.last)
    at_start = np.zeros(size + 2)
    at_start[-1] = 1.0
    # The truth itself is one more share, that of generation 0.
    later = np.column_stack([laws, np.zeros(results.last)])
    return Chain(np.append(shares, truth[0]), np.vstack([at_start, later]))


@cached_by_results
def fixed_points(results: RecordedRun) -> dict[str, np.ndarray]:
    """Return the stable laws of the last share of real data, label -> float64 [K]: near the truth, and collapsed."""
    sampling, mixed, path = sampling_of(results), external_share(schedule_of(results)), population_path(results)
    if sampling is None or mixed is None or path is None:
        return {}
    truth, lam = path[0], float(mixed[0][-1])
    if sampling.maps == ("best_of",) and sampling.best_of is not None and sampling.best_of.k == "infinite" and lam > 0:
        return {"limit with real data": curation_fixed_point(truth, rewards_of(results), lam)[0]}
    if sampling.maps != ("temperature",) or lam == 0 or truth.size > _MOST_SYMBOLS:
        return {}
    temperature = sampling.temperature or 1.0
    starts = {"stable law near the truth": truth, "collapsed stable law": _collapsed(truth)}
    found: dict[str, np.ndarray] = {}
    for label, start in starts.items():
        try:
            law = tempered_fixed_point(truth, lam, temperature, start)
            is_stable = tempered_multiplier(truth, lam, temperature, start) < 1
        except InputError:
            continue
        if is_stable and all(np.abs(law - other).max() > 1e-6 for other in found.values()):
            found[label] = law
    return found


def threshold_text(results: RecordedRun) -> str:
    """Return the thresholds of the share of real data for a uniform truth at a temperature below 1, or ""."""
    sampling, mixed = sampling_of(results), external_share(schedule_of(results))
    truth = results.truth.probabilities
    temperature = sampling.temperature if sampling is not None and sampling.maps == ("temperature",) else None
    if temperature is None or temperature >= 1 or mixed is None or np.ptp(truth) > 1e-15 or truth.size < 2:
        return ""
    low, high = (
        float(uniform_share_threshold(temperature)),
        float(collapsed_share_threshold(truth.size, temperature)),
    )
    lam = float(mixed[0][-1])
    state = "both are stable, and the start decides"
    if not low < lam < high:
        state = f"only {'the law of the truth' if lam >= high else 'a collapsed law'} is stable"
    return (
        f"the law of the truth is stable for shares above {low:.3g} (1 - temperature), a "
        f"collapsed law for shares below {high:.4g}; here {state}"
    )


def _collapsed(truth: np.ndarray) -> np.ndarray:
    """Return a law that is concentrated on the most probable symbol."""
    law = 1e-3 * truth
    law[int(truth.argmax())] += 1 - 1e-3
    return law / law.sum()
