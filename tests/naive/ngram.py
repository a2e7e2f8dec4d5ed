"""Naive twin of the n-gram family: plain walks over dictionaries, pools of raw sentences, and counts of their n-grams.

With fixed totals a sample is a list of cells, drawn by NumPy's multinomial in each context. This code is slow;
`fastcollapse.models.ngram.model` must have exactly this law.
"""

import bisect
import itertools
from collections import Counter, defaultdict

import numpy as np

from tests.naive import recursion

# Cycles, two words of one count, a repeated sentence, and a context with one successor.
TOY = ("a b c", "c b", "b c a", "c b", "a b", "d a", "a b d c")
OTHER = ("a b c", "a b", "b c a", "c b a b", "a b", "d a", "a b a b d c")
# Sentences of one word, and of different lengths.
SHORT = ("a", "a b", "b", "a a b", "c d e f g", "a b b")

_FIXED = {"n_samples": {"times_truth": 1.5}, "n_real": {"times_truth": 0.6}}
CASES = {
    "walk": recursion.Case({"text": "toy.txt"}, {"order": 2}, other={"text": "other.txt"}),
    "words": recursion.Case(
        {"text": "toy.txt"},
        {"order": 3, "budget": "words"},
        other={"text": "other.txt"},
        sizes={"n_samples": 20, "n_real": 9},
        workflows=("replace", "mix"),
    ),
    "fixed": recursion.Case(
        {"text": "toy.txt"}, {"order": 2, "totals": "fixed"}, other={"text": "other.txt"}, sizes=_FIXED
    ),
}
N_RAW = 1200


def write_tables(folder):
    """Write the texts that `CASES` names: a sentence a line."""
    for name, lines in (("toy", TOY), ("other", OTHER)):
        (folder / f"{name}.txt").write_text("\n".join(lines) + "\n")


def sentences_of(truth):
    """Return the sentences of a `Sentences` as tuples of numbers of words."""
    bounds = itertools.pairwise(truth.offsets.tolist())
    return [tuple(truth.tokens[first:last].tolist()) for first, last in bounds]


def cells_of(sentence, order, end):
    """Return the cells of a sentence, (context, next symbol); the start symbol is -1."""
    padded = (-1,) * (order - 1) + tuple(sentence) + (end,)
    return [(padded[i : i + order - 1], padded[i + order - 1]) for i in range(len(padded) - order + 1)]


def fit(cells):
    """Return the counts of cells as context -> next symbol -> count."""
    table = defaultdict(Counter)
    for context, symbol in cells:
        table[context][symbol] += 1
    return {context: dict(row) for context, row in table.items()}


def sentence_of(table, order, end, rng, temperature=1.0):
    """Return the words of one walk: the next symbol has a probability proportional to its count^(1 / T)."""
    context, words = (-1,) * (order - 1), []
    while True:
        symbols, counts = zip(*table[context].items(), strict=True)
        sums = list(itertools.accumulate((count / max(counts)) ** (1 / temperature) for count in counts))
        symbol = symbols[bisect.bisect_right(sums, rng.random() * sums[-1])]
        if symbol == end:
            return tuple(words)
        words.append(symbol)
        context = (*context[1:], symbol)


def walks(table, n, order, end, by_words, rng, temperature=1.0):
    """Return n sentences, or whole sentences up to the first that reaches n words."""
    found, n_words = [], 0
    while (n_words if by_words else len(found)) < n:
        found.append(sentence_of(table, order, end, rng, temperature))
        n_words += len(found[-1])
    return found


def context_draws(table, sizes, rng, temperature=1.0):
    """Return sizes[context] cells of each context, of those that have a count."""
    found = []
    for context, row in table.items():
        weights = np.array([(count / max(row.values())) ** (1 / temperature) for count in row.values()])
        for symbol, n in zip(row, rng.multinomial(sizes[context], weights / weights.sum()), strict=True):
            found += [(context, symbol)] * int(n)
    return found


def _objects(items):
    """Return a list of tuples as an array of objects."""
    found = np.empty(len(items), object)
    found[:] = items
    return found


def states(truth, model, schedule, n_generations, rng):
    """Return the tables of the generations 0..T of one replicate."""
    order, end, given = model.order, truth.n_words, sentences_of(truth)
    sampling = schedule.sampling
    temperature = 1.0 if sampling is None else sampling.temperature
    cells = [cell for sentence in given for cell in cells_of(sentence, order, end)]
    start = fit(cells)
    if model.totals == "fixed":
        totals = {context: sum(row.values()) for context, row in start.items()}
        own, real = (
            {context: round((times or 0) * n) for context, n in totals.items()}
            for times in (schedule.times_truth, schedule.real_times_truth)
        )
        return recursion.states(
            start,
            lambda table, n, rng: _objects(context_draws(table, own, rng, temperature)),
            fit,
            schedule,
            n_generations,
            rng,
            _objects(cells),
            lambda table, n, rng: _objects(context_draws(table, real, rng)),
        )
    by_words = model.budget == "words"
    return recursion.states(
        start,
        lambda table, n, rng: _objects(walks(table, n, order, end, by_words, rng, temperature)),
        lambda sample: fit(cell for sentence in sample for cell in cells_of(sentence, order, end)),
        schedule,
        n_generations,
        rng,
        _objects(given),
        lambda table, n, rng: _objects(walks(table, n, order, end, by_words, rng)),
        truth.n_tokens if by_words else None,
    )


def measures(table, start, end):
    """Return the metrics of a table by their definitions; `start` is the table of the truth."""
    rows = {context: {symbol: n for symbol, n in row.items() if n} for context, row in table.items()}
    rows = {context: row for context, row in rows.items() if row}
    totals = {context: sum(row.values()) for context, row in rows.items()}
    emissions, n_start = sum(totals.values()), sum(sum(row.values()) for row in start.values())
    words = {symbol for row in rows.values() for symbol in row if symbol != end}
    n_ends = sum(row.get(end, 0) for row in rows.values())
    entropy, heterozygosity, variation, squares = 0.0, 0.0, 0.0, 0.0
    for context, real in start.items():
        row, size = rows.get(context, {}), sum(real.values())
        p = {symbol: row.get(symbol, 0) / totals.get(context, 1) for symbol in real}
        gaps = [p[symbol] - n / size for symbol, n in real.items()]
        entropy -= totals.get(context, 0) * sum(q * np.log(q) for q in p.values() if q > 0)
        heterozygosity += size * (1 - sum(q * q for q in p.values()) if row else 0)
        variation += size * (sum(map(abs, gaps)) / 2 if row else 1)
        squares += size * sum(gap * gap for gap in gaps)
    return {
        "support_size": len(words),
        "n_cells": sum(map(len, rows.values())),
        "n_contexts": len(rows),
        "entropy": entropy / max(emissions, 1),
        "n_words": emissions - n_ends,
        "mean_length": (emissions - n_ends) / n_ends if n_ends else np.inf if emissions else 0.0,
        "covered_share": sum(start[c][w] for c, row in rows.items() for w in row) / n_start,
        "heterozygosity": heterozygosity / n_start,
        "total_variation": variation / n_start,
        "squared_distance": squares / n_start,
    }


def raw(truth, model, schedule, n_generations, rng):
    """Return columns of numbers of generations 0..T for one replicate, float64 (T + 1, 2).

    The columns are the number of emissions, and 100 times the number of cells plus the count of the first cell, up to
    99. Generation 0 is 0.
    """
    found = np.zeros((n_generations + 1, 2))
    first = (-1,) * (model.order - 1)
    for t, table in enumerate(states(truth, model, schedule, n_generations, rng)[1:], 1):
        counts = [n for row in table.values() for n in row.values()]
        found[t] = sum(counts), 100 * len(counts) + min(table.get(first, {}).get(0, 0), 99)
    return found


def columns(results):
    """Return the same columns as `raw`, from simulated results, float64 (R, T + 1, 2)."""
    found = np.zeros((results.n_replicates, results.last + 1, 2))
    for replicate, generation in itertools.product(range(results.n_replicates), range(1, results.last + 1)):
        cells, counts = results.counts(replicate, generation)
        first = counts[0] if len(cells) and cells[0] == 0 else 0
        found[replicate, generation] = counts.sum(), 100 * len(cells) + min(first, 99)
    return found
