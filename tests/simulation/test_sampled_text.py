"""Text of a run: recorded and computed again, and the refusal of what has none."""

import dataclasses
import re

import numpy as np
import pytest

from fastcollapse import Experiment, InputError, Results, open_results, simulate
from fastcollapse.errors import UnreadableResults
from fastcollapse.simulation.replay import replay
from fastcollapse.simulation.sampled_text import sample_text, summary_text
from fastcollapse.storage.base import Reader
from fastcollapse.storage.blocks import Block
from fastcollapse.variables import CountRows

SENTENCES = ["the cat sat on the mat", "the dog sat", "a dog ate the cat", "a cat", "it rained on a dog and on the cat"]
WORKFLOWS = {
    "replace": {"name": "replace", "n_samples": "truth"},
    "growing": {"name": "replace", "n_samples": {"start": 3, "step": 1}},
    "listed": {"name": "replace", "n_samples": [5, 6, 7, 8, 9, 10, 11]},
    "accumulate": {"name": "accumulate", "n_samples": 3, "keep_real": True},
    "mix": {"name": "mix", "n_samples": 4, "n_real": 3, "real": "fixed"},
}


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x.txt").write_text("\n".join(SENTENCES))
    return tmp_path


def ngram(workflow="replace", **values):
    return Experiment.from_mapping({
        "model": {"family": "ngram", "order": 2},
        "truth": {"text": "x.txt"},
        "workflow": WORKFLOWS[workflow],
        "run": {"n_generations": 7, "n_replicates": 3, "seed": 5},
    }).with_values(values)  # fmt: skip


TRAJECTORY = {"run.record": ["metrics", "trajectory"]}


def summary_of(results, generations, n):
    return summary_text(results.experiment, results.reader, generations, n)


@pytest.mark.parametrize("workflow", WORKFLOWS)
def test_text__of_counts_that_are_computed_again_is_that_of_recorded_ones(here, workflow):
    recorded, plain = simulate(ngram(workflow, **TRAJECTORY)), simulate(ngram(workflow))
    for generation in (0, 1, 4, 7):
        for replicate in (0, 2):
            assert plain.text(generation, replicate) == recorded.text(generation, replicate)
    assert summary_of(plain, (0, 1, 5, 10), 3) == summary_of(recorded, (0, 1, 5, 10), 3)
    assert list(summary_of(plain, (0, 1, 5, 10), 3)) == [0, 1, 5]


def test_text__needs_neither_the_data_file_nor_the_whole_run(here):
    expected = simulate(ngram(), "a.h5").text(5, 1)
    part = simulate(ngram(**{"run.n_replicates": 1}), "b.h5", first_replicate=1)
    (here / "x.txt").unlink()
    assert open_results("a.h5").text(5, 1) == part.text(5, 0) == expected
    assert replay(open_results("a.h5")).different == ()


def test_text__has_words_of_the_truth_and_a_stream_of_its_own(here):
    results = simulate(ngram(**TRAJECTORY))
    words = set(" ".join(SENTENCES).split())
    for generation in (0, 7):
        assert set(" ".join(results.text(generation, n=50)).split()) <= words
    assert results.text(3, n=4) == results.text(3, n=20)[:4] == results.text(3, n=4, seed=5)
    others = [results.text(3, n=20, seed=6), results.text(2, n=20), results.text(3, 1, n=20)]
    assert results.text(3, n=20) not in others
    assert results.text(3, n=0) == []


def test_text__has_its_golden_sentences(here):
    expected = ["the cat", "a dog and on the cat", "a dog and on the cat sat", "a dog and on the cat"]
    assert simulate(ngram()).text(3, 1, n=4) == expected


def test_text__after_a_long_time_is_one_sentence(here):
    results = simulate(ngram(**{"run.n_generations": 400, "run.n_replicates": 1}))
    assert len(set(results.text(400, n=30))) == 1


def test_text__reports_progress(here):
    calls = []
    results = simulate(ngram())
    sample_text(results.experiment, results.reader, 6, progress=calls.append)
    assert sum(calls) == 6


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"generation": 8}, "generation must be an integer from 0 to 7, got 8"),
        ({"generation": -1}, "generation must be an integer from 0 to 7, got -1"),
        ({"generation": 1.0}, "generation must be an integer from 0 to 7, got 1.0"),
        ({"generation": 1, "replicate": 3}, "replicate must be an integer from 0 to 2, got 3"),
        ({"generation": 1, "n": -1}, "n must be an integer from 0 to 1000000, got -1"),
        ({"generation": 1, "n": True}, "n must be an integer from 0 to 1000000, got True"),
        (
            {"generation": 1, "seed": 2**64},
            "seed must be an integer from 0 to 18446744073709551615, got 18446744073709",
        ),
    ],
)
def test_text__refuses_what_the_run_does_not_have(here, arguments, expected):
    with pytest.raises(InputError, match=f"^{re.escape(expected)}"):
        simulate(ngram()).text(**arguments)


def test_text__of_another_family_is_refused():
    results = simulate(Experiment.from_mapping({
        "truth": {"uniform": 5},
        "workflow": {"name": "replace", "n_samples": 9},
        "run": {"n_generations": 2, "n_replicates": 1, "seed": 1},
    }))  # fmt: skip
    with pytest.raises(
        InputError, match=r"^text must be that of a family with sentences, got a run of the discrete family$"
    ):
        results.text(1)
    assert summary_of(results, (0, 1), 3) == {}


def test_text__needs_a_finished_generation(here):
    with pytest.raises(InputError, match=r"^generation must be finished, got 0: none is finished yet$"):
        Results(Reader(simulate(ngram()).reader.header, [])).text(0)


def changed(results, rows=None, **header):
    """Return results with another header, or with other rows of counts in generation 1."""
    reader = results.reader
    blocks = [dataclasses.replace(block) for block in reader.blocks]
    if rows is not None:
        blocks[1] = Block(1, {n: v[:, 1:2] for n, v in results.metrics.items()}, rows)
        blocks = blocks[:2]
    return Results(Reader(dataclasses.replace(reader.header, **header), blocks))


def test_text__of_counts_that_do_not_fit_is_refused(here):
    results = simulate(ngram(**TRAJECTORY))
    n_columns = results.reader.header.n_columns
    with pytest.raises(UnreadableResults, match=f"its trajectory has {n_columns + 1} cells, its text {n_columns}"):
        changed(results, n_columns=n_columns + 1).text(1)
    for data in (np.array([2**63 + 5] * 3, np.uint64), np.array([2**62] * 3, np.uint64)):
        rows = CountRows(np.arange(4), np.zeros(3, np.int64), data)
        with pytest.raises(UnreadableResults, match="generation 1 has counts that are too large"):
            changed(results, rows).text(1)
    # A walk stops where a file has no counts.
    assert (
        changed(results, CountRows(np.zeros(4, np.int64), np.zeros(0, np.int64), np.zeros(0, np.uint8))).text(1, n=2)
        == ["..."] * 2
    )


def test_truth__of_another_family_is_refused(here):
    other = simulate(Experiment.from_mapping({
        "truth": {"text": "x.txt"},
        "workflow": {"name": "replace", "n_samples": "truth"},
        "run": {"n_generations": 2, "n_replicates": 1, "seed": 1},
    }))  # fmt: skip
    results = simulate(ngram())
    for one, truth in ((results, other.truth), (results, None), (other, results.truth)):
        with pytest.raises(UnreadableResults, match=r"is damaged: its truth is not of the (ngram|discrete) family"):
            _ = changed(one, truth=truth).experiment


def test_counts__of_generation_0_are_those_of_the_cells(here):
    results = simulate(ngram(**TRAJECTORY))
    cells, counts = results.counts(0, 0)
    assert cells.tolist() == list(range(results.reader.header.n_columns))
    assert counts.sum() == results.truth.n_tokens + results.truth.n_sentences


def test_summary__leaves_out_generations_that_take_long(here, monkeypatch):
    results = simulate(ngram())
    monkeypatch.setattr("fastcollapse.simulation.sampled_text._FEW_DRAWS", 5)
    # A tenth of 3 replicates and 7 generations of 5 sentences is 10.5 draws.
    assert list(summary_of(results, (0, 1, 2, 3, 5), 1)) == [0, 1, 2]
