"""Naive twin of the discrete family: draws every token, keeps pools of raw tokens, and counts them.

This code is slow; `fastcollapse.models.discrete.model` must have exactly this law.
"""

import decimal
import itertools
import math
from decimal import Decimal

import numpy as np
from scipy import stats

from tests.naive import recursion

# More than 8 symbols, so that the parallel scheme is used instead of the chain.
_COUNTS = (7, 5, 4, 3, 2, 2, 1, 1, 1, 1, 1, 1)
# The same with another probability of the first symbol, which a statistical test must reject.
_OTHER = (10, 4, 3, 2, 2, 2, 1, 1, 1, 1, 1, 1)


def _law(counts):
    return {"probabilities": [count / sum(counts) for count in counts]}


# Cases of the conformance test; `write_tables` writes their tables.
CASES = {
    "law": recursion.Case(_law(_COUNTS), other=_law(_OTHER)),
    "corpus": recursion.Case({"counts": "counts.csv"}, other={"counts": "other.csv"}),
    # Three blocks of symbols, most of them rare.
    "wide": recursion.Case({"counts": "wide.csv"}, sizes={"n_samples": 20_000, "n_real": 3000}),
}
N_RAW = 1500


def write_tables(folder):
    """Write the tables of counts that `CASES` names."""
    wide = np.ceil(9000 / np.arange(1, 9001)).astype(int)
    for name, counts in (("counts", _COUNTS), ("other", _OTHER), ("wide", wide)):
        rows = [f"{symbol:04},{count}" for symbol, count in enumerate(counts)]
        (folder / f"{name}.csv").write_text("\n".join(["word,count", *rows]) + "\n")


def raw(truth, model, schedule, n_generations, rng):
    """Return columns of numbers of generations 0..T for one replicate, integer-valued float64 (T + 1, 2).

    The columns are the size of the training data, and 100 times its support plus the count of the first symbol, up to
    99. Generation 0 is 0. For weights they are `_weight_columns`.
    """
    corpus = None if truth.counts is None else np.repeat(np.arange(truth.support_size), truth.counts)
    if schedule.is_real_beside or schedule.real_share is not None:
        states = staged(truth.probabilities, corpus, schedule, rng)
        if schedule.weight is not None or schedule.discount:
            return np.vstack([np.zeros(2), [_weight_columns(state) for state in states]])
        states = np.rint(states * schedule.fitted_sizes(truth.total)[:, None])
    else:
        states = simulate(truth.probabilities, corpus, schedule, rng)
    labels = _label((states > 0).sum(axis=1), states[:, 0])
    return np.vstack([np.zeros(2), np.column_stack([states.sum(axis=1), labels])])


def columns(results):
    """Return the same columns as `raw`, from simulated results, float64 (R, T + 1, 2)."""
    found = np.zeros((results.n_replicates, results.last + 1, 2))
    for replicate in range(results.n_replicates):
        for generation in range(1, results.last + 1):
            symbols, counts = results.counts(replicate, generation)
            first = counts[0] if symbols[0] == 0 else 0
            if counts.dtype == np.float64:
                weights = np.zeros(max(symbols) + 1)
                weights[symbols] = counts
                found[replicate, generation] = _weight_columns(weights)
            else:
                found[replicate, generation] = counts.sum(), _label(len(symbols), first)
    return found


def _weight_columns(weights):
    """Return 1000 times the sum of the squared weights, and 100 times the support plus 100 times the first weight.

    They are cut to whole numbers, after a rounding that removes the last digits.
    """
    first = np.floor(np.round(100 * weights[0], 6))
    return np.floor(np.round(1000 * (weights**2).sum(), 6)), _label((weights > 0).sum(), first)


def _label(support, first):
    return 100 * support + np.minimum(first, 99)


def simulate(probabilities, corpus, schedule, rng):
    """Return the counts of the training data of the generations 1..T, int64 (T, K), for one replicate.

    Parameters
    ----------
    probabilities: (K), the truth
    corpus: the tokens of the real data, or None for a law
    schedule: as `fastcollapse.config.schedule.Schedule`
    rng: a NumPy generator
    """

    def fit(tokens):
        return np.bincount(tokens, minlength=len(probabilities)) / len(tokens)

    states = _states(recursion.states, fit, probabilities, corpus, schedule, rng)
    sizes = schedule.fitted_sizes(None if corpus is None else len(corpus))
    return np.rint(states * sizes[:, None]).astype(int)


def staged(probabilities, corpus, schedule, rng):
    """Return the states of the generations 1..T as weights that sum to 1, float64 (T, K), for one replicate."""

    def fit(groups):
        return sum(
            weight * np.bincount(tokens, minlength=len(probabilities)) / len(tokens) for tokens, weight in groups
        )

    return _states(recursion.staged_states, fit, probabilities, corpus, schedule, rng)


def _states(recurse, fit, probabilities, corpus, schedule, rng):
    n_symbols, rewards = len(probabilities), rewards_of(schedule.sampling, probabilities)

    def draw(state, n, rng):
        return rng.choice(n_symbols, n, p=mapped(state, schedule.sampling, rewards))

    def draw_real(state, n, rng):
        return rng.choice(n_symbols, n, p=state)

    truth, n_generations = np.asarray(probabilities), len(schedule.n_synthetic)
    return np.array(recurse(truth, draw, fit, schedule, n_generations, rng, corpus, draw_real)[1:])


def rewards_of(sampling, probabilities):
    """Return the reward of each symbol, float64 (K), or None. Ranks are among the symbols with a probability."""
    if sampling is None or sampling.best_of is None:
        return None
    reward = sampling.best_of.reward
    if reward != "rank":
        return np.array(reward, float)
    rewards, present = np.zeros(len(probabilities)), np.flatnonzero(probabilities)
    ranks = stats.rankdata(-np.asarray(probabilities)[present])
    rewards[present] = (len(present) - ranks) / (len(present) - 1)
    return rewards


def mapped(state, sampling, rewards=None):
    """Return the probabilities that a state is sampled with, by the definitions of the maps."""
    if sampling is None:
        return state
    weights = np.array(state, float)
    if sampling.temperature is not None and sampling.temperature != 1:
        weights = (weights / weights.max()) ** (1 / sampling.temperature)
    if sampling.top_k is not None:
        weights[np.argsort(-weights, kind="stable")[sampling.top_k :]] = 0
    if sampling.top_p is not None:
        order = np.argsort(-weights, kind="stable")
        reached = np.cumsum(weights[order]) >= sampling.top_p * weights.sum() * (1 - 1e-12)
        weights[order[np.argmax(reached) + 1 :]] = 0
    weights /= weights.sum()
    if sampling.best_of is None:
        return weights
    k = sampling.best_of.k
    if k == "infinite":
        kept = weights * np.exp(rewards)
    elif sampling.best_of.rule == "soft":
        kept = best_of_soft(weights, rewards, k)
    else:
        kept = best_of_hard(weights, rewards, k)
    return kept / kept.sum()


def best_of_soft(p, rewards, k):
    """Return the law of the sample that is kept, by a sum over all multisets of k samples of the different rewards."""
    levels, level = np.unique(rewards, return_inverse=True)
    mass, kept = np.bincount(level, p), np.zeros(len(levels))
    for chosen in itertools.combinations_with_replacement(range(len(levels)), k):
        counts = np.bincount(chosen, minlength=len(levels))
        ways = math.factorial(k) / np.prod([float(math.factorial(n)) for n in counts])
        scores = counts * np.exp(levels - levels.max())
        kept += ways * np.prod(mass**counts) * scores / scores.sum()
    return np.divide(p * kept[level], mass[level], out=np.zeros(len(p)), where=p > 0)


def best_of_hard(p, rewards, k):
    """Return the law of the best of k samples, ties at random."""
    below = np.array([p[rewards < reward].sum() for reward in rewards])
    level = np.array([p[rewards == reward].sum() for reward in rewards])
    kept = p * ((below + level) ** k - below**k)
    return np.divide(kept, level, out=np.zeros(len(p)), where=p > 0)


def multinomial(weights, n_tokens, rng):
    """Return counts of `n_tokens` tokens drawn one by one with probabilities weights / sum."""
    weights = np.asarray(weights, dtype=float)
    return np.bincount(rng.choice(len(weights), n_tokens, p=weights / weights.sum()), minlength=len(weights))


def subsample(counts, n_tokens, rng):
    """Return counts of `n_tokens` tokens drawn without replacement from the tokens that `counts`
    describes."""
    tokens = np.repeat(np.arange(len(counts)), counts)
    return np.bincount(rng.choice(tokens, n_tokens, replace=False), minlength=len(counts))


def metrics(counts, probabilities):
    """Return every metric of one state by its definition, with 40 digits, because these sums cancel."""
    with decimal.localcontext(prec=40):
        counts = [Decimal(int(count)) for count in counts]
        total, mass = sum(counts), sum(map(Decimal, map(float, probabilities)))
        state = [count / total for count in counts]
        truth = [Decimal(float(p)) / mass for p in probabilities]
        both = list(zip(state, truth, strict=True))
        values = {
            "support_size": sum(q > 0 for q in state),
            "entropy": -sum(q * q.ln() for q in state if q > 0),
            "heterozygosity": 1 - sum(q * q for q in state),
            "total_variation": sum(abs(q - p) for q, p in both) / 2,
            "kl_divergence": sum(q * (q / p).ln() for q, p in both if q > 0),
            "lost_mass": sum(p for q, p in both if q == 0),
        }
    return {name: float(value) for name, value in values.items()}


def forgotten(states, probabilities):
    """Return int (K): the first generation without a symbol, 0 if the truth lacks it, -1 if there is none."""
    present = np.vstack([np.asarray(probabilities) > 0, np.asarray(states) > 0])
    return np.where(present.all(axis=0), -1, np.argmin(present, axis=0))
