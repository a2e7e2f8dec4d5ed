"""Naive twin of the discrete family: draws every token, keeps pools of raw tokens, and counts them.

This code is slow; `fastcollapse.models.discrete.model` must have exactly this law.
"""

import decimal
from decimal import Decimal

import numpy as np

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
    99. Generation 0 is 0.
    """
    corpus = None if truth.counts is None else np.repeat(np.arange(truth.support_size), truth.counts)
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
            found[replicate, generation] = counts.sum(), _label(len(symbols), first)
    return found


def _label(support, first):
    return 100 * support + np.minimum(first, 99)


def simulate(probabilities, corpus, schedule, rng):
    """Return the counts of the training data of the generations 1..T, int64 (T, K), for one replicate.

    Parameters
    ----------
    probabilities: (K), the truth
    corpus: the tokens of the real data, or None for a law
    schedule: as `fastcollapse.config.workflows.Schedule`
    rng: a NumPy generator
    """
    n_symbols = len(probabilities)
    fixed = None
    if schedule.real == "fixed":
        n_real = schedule.n_real[0]
        is_corpus = corpus is not None and n_real == len(corpus)
        fixed = corpus if is_corpus else rng.choice(n_symbols, n_real, p=probabilities)
    model = np.asarray(probabilities)
    pool = corpus if schedule.start_with_data else np.array([], dtype=int)
    states = []
    for t in range(len(schedule.n_synthetic)):
        batch = [rng.choice(n_symbols, schedule.n_synthetic[t], p=model)]
        if schedule.real == "fixed":
            batch.append(fixed)
        elif schedule.n_real[t] > 0:
            batch.append(rng.choice(n_symbols, schedule.n_real[t], p=probabilities))
        if schedule.keep[t]:
            batch.append(pool)
        pool = np.concatenate(batch)
        data = pool
        if schedule.n_train[t] > 0:
            data = rng.choice(pool, schedule.n_train[t], replace=schedule.replacement)
        counts = np.bincount(data, minlength=n_symbols)
        model = counts / len(data)
        states.append(counts)
    return np.array(states)


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
