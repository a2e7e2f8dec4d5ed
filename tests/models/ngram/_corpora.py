"""Small corpora and models of them."""

import numpy as np

from fastcollapse.datasets.sentences import Sentences
from fastcollapse.models.ngram.model import Ngram
from fastcollapse.simulation.experiment import Experiment
from fastcollapse.simulation.schedules import real_size, schedule_of

SAMPLE = {"text": "data/wikitext2_sample.txt.gz", "token_pattern": r"\w+"}


def corpus(*lines):
    """Return the sentences of lines."""
    return Sentences.from_words([line.split() for line in lines], "test")


def experiment(model=None, workflow=None, sampling=None, **run):
    """Return an experiment of the family; its text is replaced by a corpus."""
    sections = {
        "model": {"family": "ngram", "order": 2, **(model or {})},
        "truth": SAMPLE,
        "workflow": {"name": "replace", "n_samples": "truth", **(workflow or {})},
        "run": {"n_generations": 5, "n_replicates": 2, "seed": 1, **run},
    }
    return Experiment.from_mapping({**sections, **({"sampling": sampling} if sampling else {})})


def model_of(truth, made):
    """Return the model of an experiment with a corpus."""
    return Ngram.create(truth, made.model, schedule_of(made, real_size(made, truth)), made.run.record)


def states_of(truth, made, n_generations=5, n_replicates=2, block=None):
    """Return the counts of generations 0..T, int32 (T + 1, R, D)."""
    model = model_of(truth, made)
    state = model.initial(n_replicates, seed=1)
    found = [state.counts.copy()]
    for t in range(n_generations):
        model.advance(state, t + 1, 1, seed=1)
        found.append(state.counts.copy())
    return np.array(found)
