"""The definition of the discrete family: draw every token, keep pools of raw tokens, count what the model
is fitted to.

Nothing here is quick; `fastcollapse.models.discrete` must have exactly this law.
"""

import numpy as np

# What the conformance test runs for this family: more than 8 symbols, so that the parallel scheme is used
# and not a chain.
TRUTH_COUNTS = (7, 5, 4, 3, 2, 2, 1, 1, 1, 1, 1, 1)
# The same with another law of the first symbol, which a statistical test must tell apart.
OTHER_COUNTS = (10, 4, 3, 2, 2, 2, 1, 1, 1, 1, 1, 1)


def simulate(probabilities, corpus, schedule, rng):
    """Return the counts of the training data of the generations 1..T, int64 (T, K), for one replicate.

    Parameters
    ----------
    probabilities: (K), the truth
    corpus: the tokens of the real data, or None for a law
    schedule: as `fastcollapse.workflows.Schedule`
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
    """Return every metric of one state, by its definition."""
    state = np.asarray(counts) / np.sum(counts)
    live = state > 0
    return {
        "support_size": live.sum(),
        "entropy": -(state[live] * np.log(state[live])).sum(),
        "heterozygosity": 1 - (state**2).sum(),
        "total_variation": 0.5 * np.abs(state - probabilities).sum(),
        "kl_divergence": (state[live] * np.log(state[live] / probabilities[live])).sum(),
        "lost_mass": probabilities[~live].sum(),
    }


def forgotten(states, probabilities):
    """Return int (K): the first generation at which a symbol is absent, 0 if the truth lacks it, -1 if
    there is none."""
    present = np.vstack([np.asarray(probabilities) > 0, np.asarray(states) > 0])
    return np.where(present.all(axis=0), -1, np.argmin(present, axis=0))
