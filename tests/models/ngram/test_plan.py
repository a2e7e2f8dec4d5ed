"""What a run draws."""

import numpy as np
import pytest

from fastcollapse.config.sampling import Sampling
from fastcollapse.errors import InputError
from fastcollapse.models.ngram.cells import cells_of
from fastcollapse.models.ngram.plan import check_failed, plan_of, table_of, truth_total
from fastcollapse.simulation.schedules import schedule_of
from tests.models.ngram._corpora import corpus, experiment
from tests.naive import ngram as twin

TOY = corpus(*twin.TOY)


def plan(model=None, workflow=None, sampling=None):
    made = experiment(model, workflow, sampling)
    schedule = schedule_of(made, truth_total(TOY, made.model))
    return plan_of(TOY, cells_of(TOY, made.model.order), made.model, schedule)


def test_table__has_the_cells_in_32_bits():
    cells = cells_of(TOY, 3)
    table = table_of(cells)
    assert table.counts.dtype == table.words.dtype == table.successors.dtype == np.int32
    np.testing.assert_array_equal(table.counts, cells.counts)
    assert table.n_words == 4


def test_plan__keeps_the_corpus_only_where_the_pool_starts_with_it():
    assert not plan().keeps.any()
    workflow = {"name": "accumulate", "n_samples": 3}
    assert plan(workflow={**workflow, "keep_real": True}).keeps.tolist() == [True] * 5
    assert plan(workflow={**workflow, "keep_real": False}).keeps.tolist() == [False] + [True] * 4


def test_plan__has_the_totals_of_the_contexts():
    made = plan({"totals": "fixed"}, {"n_samples": {"times_truth": 0.5}})
    np.testing.assert_array_equal(made.sizes, np.rint(0.5 * cells_of(TOY, 2).context_counts))
    assert not len(made.real_sizes)
    assert not len(plan().sizes)


def test_plan__gives_up_walks_at_another_temperature():
    assert plan().most == 2**31 - 1
    assert plan(sampling={"temperature": 0.5}).most == 10**7
    many = plan(workflow={"n_samples": 10**4}, sampling={"temperature": 0.5})
    assert many.most == int(1000 * 10**4 * (1 + 18 / 7))
    assert Sampling(temperature=1.0).maps == ("temperature",)
    assert plan(sampling={"temperature": 1.0}).most == 2**31 - 1


@pytest.mark.parametrize(
    ("sampling", "message"),
    [
        (None, "workflow.n_samples must keep fewer than 2,147,483,647 words and ends of sentences, got more in "),
        (
            {"temperature": 2.0},
            "sampling.temperature must let walks end: fewer than 10,000,000 words and ends of sentences, got more in ",
        ),
    ],
)
def test_failed__names_the_replicate_and_the_generation(sampling, message):
    made = plan(sampling=sampling)
    check_failed(np.array([0, 0]), made, 5)
    with pytest.raises(InputError) as caught:
        check_failed(np.array([0, 3]), made, 5)
    assert str(caught.value) == message + "generation 3 of replicate 6"
