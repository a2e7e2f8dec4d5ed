"""N-gram models of the shipped sample: one generation of walks, against NLTK, a Python walk and a NumPy walk.

A generation is 20,625 sentences, about 457,000 words and ends, with the fit to them and all metrics of this package.
The peers only generate: NLTK's `MLE.generate` word by word, as published scripts call it (bigrams only: 16-grams take
5 GB), a plain Python walk over dictionaries, and a NumPy walk that takes one step of all sentences at a time. The first
two walk few sentences; their time is scaled by the number of symbols. All times are processor time, ours of one thread.

Memory is the peak of a run of 16-grams in its own process, beyond that after a run of bigrams, which loads the code.
"""

import json
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from itertools import accumulate, pairwise

import numpy as np
from harness import figures, header, row, save

from fastcollapse import Experiment, simulate
from fastcollapse.datasets.load import load_truth
from fastcollapse.datasets.sentences import Sentences
from fastcollapse.models.ngram.cells import Cells, cells_of

try:
    from nltk.lm import MLE
    from nltk.lm.preprocessing import padded_everygram_pipeline
except ImportError:
    MLE = None

BENCH = "ngram"
ORDERS, GENERATIONS, REPEATS = (2, 4, 16), 10, 5
# Number of sentences of the slow peers.
N_NLTK, N_PYTHON = 100, 2000
CHILD = """
import json, re, sys
from fastcollapse import Experiment, simulate
from fastcollapse.simulation.memory_budget import resident
few, many = json.loads(sys.argv[1])
simulate(Experiment.from_mapping(few), threads=1)
before = resident()
simulate(Experiment.from_mapping(many), threads=1)
print(int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1]) * 1024 - before)
"""


def sections(order: int, text: dict | None = None, **model: str) -> dict:
    """Return the experiment of one order."""
    return {
        "model": {"family": "ngram", "order": order, **model},
        "truth": text or {"text": "data/wikitext2_sample.txt.gz", "token_pattern": r"\w+"},
        "workflow": {"name": "replace", "n_samples": "truth"},
        "run": {"n_generations": GENERATIONS, "n_replicates": 1, "seed": 1},
    }


def cpu(function: Callable[[], object]) -> float:
    """Return the processor time of one call."""
    start = time.process_time()
    function()
    return time.process_time() - start


def nltk_walks(corpus: Sentences, order: int) -> Callable[[], int]:
    """Return the generation of sentences by a fitted NLTK model."""
    words = [corpus.labels[i] for i in corpus.tokens.tolist()]
    bounds = corpus.offsets.tolist()
    texts = [words[first:last] for first, last in pairwise(bounds)]
    model = MLE(order)
    model.fit(*padded_everygram_pipeline(order, texts))

    def walk() -> int:
        rng, n = random.Random(1), 0
        for _ in range(N_NLTK):
            words = ["<s>"] * (order - 1)
            while words[-1] != "</s>":
                words.append(model.generate(1, text_seed=words[-(order - 1) :], random_seed=rng))
            n += len(words) - order + 1
        return n

    return walk


def python_walks(corpus: Sentences, order: int) -> Callable[[], int]:
    """Return walks over dictionaries with running sums of counts."""
    table: dict[tuple[int, ...], dict[int, int]] = {}
    end, bounds, tokens = corpus.n_words, corpus.offsets.tolist(), corpus.tokens.tolist()
    for first, last in pairwise(bounds):
        context = (-1,) * (order - 1)
        for word in (*tokens[first:last], end):
            cells = table.setdefault(context, {})
            cells[word] = cells.get(word, 0) + 1
            context = (*context[1:], word)
    rows = {context: (list(cells), list(accumulate(cells.values()))) for context, cells in table.items()}

    def walk() -> int:
        rng, n = random.Random(1), 0
        for _ in range(N_PYTHON):
            context, word = (-1,) * (order - 1), -1
            while word != end:
                words, sums = rows[context]
                (word,) = rng.choices(words, cum_weights=sums)
                context = (*context[1:], word)
                n += 1
        return n

    return walk


def numpy_walks(cells: Cells) -> Callable[[], int]:
    """Return one step of all sentences at a time, by a search in running sums of all counts."""
    sums = np.concatenate([[0], np.cumsum(cells.counts)])
    starts = sums[cells.offsets]
    is_end = cells.words == cells.n_words

    def walk() -> int:
        rng, n = np.random.default_rng(1), 0
        context = np.zeros(cells.n_sentences, np.int64)
        while len(context):
            place = starts[context] + (rng.random(len(context)) * (starts[context + 1] - starts[context])).astype(
                np.int64
            )
            cell = np.searchsorted(sums, place, side="right") - 1
            n += len(cell)
            context = cells.successors[cell[~is_end[cell]]].astype(np.int64)
        return n

    return walk


def ours(order: int, corpus: Sentences) -> float:
    """Return the processor time of a generation on one thread, from two lengths of a run."""
    long, short = (Experiment.from_mapping(sections(order)).with_values({"run.n_generations": n}) for n in (41, 1))
    times = [cpu(lambda: simulate(long, threads=1)) - cpu(lambda: simulate(short, threads=1)) for _ in range(REPEATS)]
    return statistics.median(times) / 40


def speed(order: int, corpus: Sentences) -> list[dict]:
    """Compare one order with the peers."""
    cells, n = cells_of(corpus, order), corpus.n_tokens + corpus.n_sentences
    peers = [("plain Python walk", python_walks(corpus, order)), ("NumPy, all sentences", numpy_walks(cells))]
    if MLE is not None and order == 2:
        peers.insert(0, ("NLTK MLE.generate", nltk_walks(corpus, order)))
    ours_s, rows = ours(order, corpus), []
    for name, walk in peers:
        times = []
        for _ in range(1 if name.startswith("NLTK") else REPEATS):
            start = time.process_time()
            symbols = walk()
            times.append((time.process_time() - start) / symbols)
        rows.append(row(BENCH, f"{order}-grams, one generation", name, 1, ours_s, n * statistics.median(times)))
    rows.append(figures(BENCH, f"{order}-grams, one generation", ns_a_symbol=1e9 * ours_s / n))
    return rows


def memory(order: int) -> dict:
    """Return the memory that a run adds, beside its code."""
    few = {**sections(2), "workflow": {"name": "replace", "n_samples": 10}}
    few["run"] = {**few["run"], "n_generations": 1}
    call = [sys.executable, "-c", CHILD, json.dumps([few, sections(order)])]
    added = int(subprocess.run(call, capture_output=True, text=True, check=True).stdout)
    return figures(BENCH, f"{order}-grams, memory", added_mb=added / 1e6)


def main() -> None:
    """Run the benchmark, print its table and save its rows."""
    if MLE is None:
        print("NLTK is not installed (pip install -e '.[bench]'): its rows are left out")
    header()
    corpus = load_truth(Experiment.from_mapping(sections(2)).truth)
    rows = [one for order in ORDERS for one in speed(order, corpus)]
    save(BENCH, [*rows, memory(16)])


if __name__ == "__main__":
    main()
