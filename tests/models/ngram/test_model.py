"""The n-gram model: golden curves, budgets, pools, fixed totals, and bits that do not depend on threads or parts."""

import numpy as np
import pytest

from fastcollapse.errors import InputError
from fastcollapse.kernels.jit import max_threads
from fastcollapse.models.ngram import model as module
from fastcollapse.models.ngram.cells import cells_of
from fastcollapse.models.ngram.context_kernels import context_block
from fastcollapse.models.ngram.metrics import METRICS
from fastcollapse.models.ngram.model import Ngram
from fastcollapse.models.ngram.refits import Plan
from fastcollapse.models.ngram.walk_kernels import walk_block
from fastcollapse.simulation.execute import use_threads
from fastcollapse.simulation.schedules import schedule_of
from tests._corpora import shipped
from tests._goodness_of_fit import z_scores
from tests.models.ngram._corpora import corpus, experiment, model_of, states_of
from tests.naive import ngram as twin

TOY = corpus(*twin.TOY)
FIXED = {"order": 2, "totals": "fixed"}
WORDS = {"order": 2, "budget": "words"}


@pytest.fixture(scope="module")
def text():
    return shipped()


@pytest.fixture(autouse=True)
def one_thread():
    use_threads(1)
    yield
    use_threads(1)


def test_kernels__are_those_of_walks_and_of_contexts():
    assert walk_block.py_func.__name__ == "walk_block"
    assert context_block.py_func.__name__ == "context_block"
    assert Plan._fields[0] == "keeps"


@pytest.mark.parametrize(
    ("model", "workflow"),
    [
        ({"order": 2}, {}),
        ({"order": 3}, {"name": "mix", "n_real": 5, "real": "fresh"}),
        ({"order": 3}, {"name": "accumulate", "keep_real": True, "n_real": 3}),
        (WORDS, {"n_samples": 700}),
        (WORDS, {"name": "mix", "n_samples": 600, "n_real": 500, "real": "fresh"}),
        (WORDS, {"name": "mix", "n_samples": 600, "n_real": 10, "real": "fixed"}),
        (FIXED, {}),
        (FIXED, {"name": "mix", "n_real": {"times_truth": 0.5}, "real": "fresh"}),
        (FIXED, {"name": "mix", "n_real": {"times_truth": 2}, "real": "fixed"}),
    ],
)
def test_bits__do_not_depend_on_parts_or_threads(monkeypatch, model, workflow):
    made = experiment(model, workflow)
    expected = states_of(TOY, made)
    for n_parts, n_threads in ((2, 1), (5, max_threads()), (16, max_threads())):
        use_threads(n_threads)
        monkeypatch.setattr(Ngram, "_n_parts", lambda *_, n=n_parts: n)
        np.testing.assert_array_equal(states_of(TOY, made), expected)
    assert (states_of(TOY, made, n_replicates=3)[:, 2] != expected[:, 0]).any()  # negative control


def test_parts__are_for_few_replicates_and_long_generations(text):
    use_threads(max_threads())
    model = model_of(text, experiment())
    span = model._span(1, 1, 1, 0)._replace(n_threads=8)
    assert [model._n_parts(n, 1, span) for n in (1, 2, 3, 8, 100)] == [8, 4, 3, 1, 1]
    assert model_of(TOY, experiment())._n_parts(1, 1, span) == 1


def test_work_bytes__are_those_of_the_largest_pool():
    """A generation of a million sentences of 25/7 symbols has an urn of 4 bytes a symbol."""
    many = {"n_samples": 10**6}
    assert model_of(TOY, experiment({}, many)).work_bytes() > 4e6 * 25 / 7
    assert model_of(TOY, experiment(WORDS, many)).work_bytes() > 4e6 * 25 / 18
    accumulating = {**many, "name": "accumulate", "keep_real": False}
    assert model_of(TOY, experiment({}, accumulating)).work_bytes() > 20e6 * 25 / 7
    # At a temperature the urn has the cells alone, with fixed totals there is none.
    assert model_of(TOY, experiment({}, many, {"temperature": 2.0})).work_bytes() < 1000
    assert model_of(TOY, experiment(FIXED, {"n_samples": {"times_truth": 1e5}})).work_bytes() < 1000


def final_states(truth, n_replicates, n_generations):
    """Return the counts at the end where all sentences are alike, and the number of generations until they are."""
    made = experiment({}, n_generations=n_generations)
    model, cells = model_of(truth, made), cells_of(truth, 2)
    state, times = model.initial(n_replicates, seed=1), np.zeros(n_replicates)
    for t in range(n_generations):
        # As long as a context has two successors.
        live = np.add.reduceat(state.counts > 0, cells.offsets[:-1], axis=1, dtype=int)
        times += (live > 1).any(axis=1)
        model.advance(state, t + 1, 1, seed=1)
    # Long loops may last.
    alike = (np.add.reduceat(state.counts > 0, cells.offsets[:-1], axis=1, dtype=int) <= 1).all(axis=1)
    assert alike.mean() > 0.998
    return state.counts[alike], times


def uses_of(truth, counts):
    """Return the counts of the words, by label, int (R)."""
    cells = cells_of(truth, 2)
    return {label: counts[:, cells.words == word].sum(axis=1) for word, label in enumerate(truth.labels)}


def test_final_sentence__has_words_without_loops_with_their_shares():
    truth = corpus("0 1", "0 2", "1 2", "1 3", "2 3", "0 3")
    counts, _ = final_states(truth, 4000, 100)
    has = np.stack([uses > 0 for uses in uses_of(truth, counts).values()], axis=1)
    assert np.abs(z_scores(has, 0.5)).max() < 4
    assert np.abs(z_scores(has, 0.55)).max() > 4  # negative control


def test_final_sentence__is_shorter_by_the_loops():
    """Independent simulation: 1.80(2) words in place of 14/6, after 13.2 generations; word 3 has no loop."""
    truth = corpus("0 1 2", "0 2", "1 2 0", "2 1", "0 1", "3 0")
    counts, times = final_states(truth, 6000, 150)
    uses = uses_of(truth, counts)
    assert np.abs(z_scores((uses["3"] > 0)[:, None], 1 / 6)).max() < 4
    assert abs(sum(uses.values()).mean() / 6 - 1.80) < 0.08
    assert abs(times.mean() - 13.2) < 0.6


def contexts_of(truth, order, counts):
    """Return the counts of each context: how often it is entered, and left."""
    cells = cells_of(truth, order)
    entered = np.bincount(cells.successors, counts, cells.n_contexts)
    return entered, np.add.reduceat(counts, cells.offsets[:-1])


@pytest.mark.parametrize("model", [{"order": 2}, {"order": 3}, {"order": 9}, WORDS])
def test_walks__are_whole_sentences(model):
    n = 40 if model is not WORDS else 90
    states = states_of(TOY, experiment(model, {"n_samples": n}))
    ends = cells_of(TOY, model["order"]).words == TOY.n_words
    for counts in states[1:].reshape(-1, states.shape[2]):
        entered, left = contexts_of(TOY, model["order"], counts)
        np.testing.assert_array_equal(entered, left)
        n_words = counts[~ends].sum()
        if model is WORDS:
            assert 0 <= n_words - n < 60
        else:
            assert counts[ends].sum() == n


def test_budget__below_one_sentence_is_one_sentence():
    states = states_of(corpus("a b c d", "b a"), experiment({"budget": "words"}, {"n_samples": 1}))
    ends = cells_of(corpus("a b c d", "b a"), 2).words == 4
    assert (states[1:, :, ends].sum(axis=2) == 1).all()


@pytest.mark.parametrize("lines", [("a",), ("a b a",)])
def test_corpus__of_one_sentence_stays(lines):
    truth = corpus(*lines)
    states = states_of(truth, experiment({"order": 6}))
    assert (states == states[0]).all()


def test_order__above_the_longest_sentence_resamples_sentences():
    """Every count follows from those of whole sentences."""
    cells, states = cells_of(TOY, 12), states_of(TOY, experiment({"order": 12}, {"n_samples": 30}))
    ends = np.flatnonzero(cells.words == TOY.n_words)
    before = {int(after): cell for cell, after in enumerate(cells.successors.tolist()) if after}
    context = np.repeat(np.arange(cells.n_contexts), np.diff(cells.offsets))
    for counts in states[1:].reshape(-1, states.shape[2]):
        expected = np.zeros_like(counts)
        for end in ends.tolist():
            cell = end
            while True:
                expected[cell] += counts[end]
                if context[cell] == 0:
                    break
                cell = before[int(context[cell])]
        np.testing.assert_array_equal(counts, expected)


def test_pools__are_sums_of_counts():
    n = {"n_samples": 10}
    batches = states_of(TOY, experiment({}, {**n, "name": "accumulate", "keep_real": False}))
    np.testing.assert_array_equal(batches[1], states_of(TOY, experiment({}, n))[1])
    kept = states_of(TOY, experiment({}, {**n, "name": "accumulate", "keep_real": True}))
    np.testing.assert_array_equal(kept[1], batches[1] + batches[0])
    assert (np.diff(kept.astype(int), axis=0) >= 0).all()
    mixed = states_of(TOY, experiment({}, {**n, "name": "mix", "n_real": "truth", "real": "fixed"}))
    np.testing.assert_array_equal(mixed[1], kept[1])
    assert (mixed[2:] >= mixed[0]).all()  # the corpus itself, in each generation


@pytest.mark.parametrize(("model", "n_real"), [({"order": 2}, 7), (WORDS, 18), (WORDS, 7), (FIXED, "truth")])
def test_fixed_real__is_the_corpus_where_it_has_its_size_as_in_the_twin(model, n_real):
    """Seven sentences, eighteen words."""
    made = experiment(model, {"name": "mix", "n_real": n_real, "real": "fixed"}, n_generations=1)
    schedule, rng = schedule_of(made, Ngram.truth_total(TOY, made.model)), np.random.default_rng(1)
    _, table = twin.states(TOY, made.model, schedule, 1, rng)
    is_corpus = n_real != 7 or model is not WORDS
    start = twin.fit(cell for one in twin.sentences_of(TOY) for cell in twin.cells_of(one, 2, TOY.n_words))
    has_all = all(table.get(c, {}).get(w, 0) >= n for c, row in start.items() for w, n in row.items())
    states = states_of(TOY, made, n_generations=1)
    assert has_all == bool((states[1] >= states[0]).all()) == is_corpus


def test_pools__that_are_large_are_searched():
    """Another urn has other bits and the same law: the mean number of uses of a cell is that of the pool."""
    workflow = {"name": "accumulate", "n_samples": 2, "keep_real": True}
    made = experiment({}, workflow, n_generations=60)
    states = states_of(TOY, made, n_generations=60, n_replicates=400).astype(int)
    last = np.diff(states[-3:-1], axis=0)[0]  # pools of 100 sentences and more, of which 2 are drawn
    expected = states[-3] * (2 / states[-3][:, cells_of(TOY, 2).words == 4].sum(axis=1))[:, None]
    assert np.abs(z_scores(last - expected, 0.0)).max() < 4.5


def test_fixed_real__of_another_size_is_drawn_once():
    workflow = {"name": "mix", "n_samples": 1, "n_real": 2000, "real": "fixed"}
    ends = cells_of(TOY, 2).words == TOY.n_words
    states = states_of(TOY, experiment({}, workflow)).astype(int)
    assert (states[1:, :, ends].sum(axis=2) == 2001).all()
    assert (np.abs(np.diff(states[1:], axis=0)).sum(axis=2) < 200).all()  # those of one short walk each
    assert np.abs(states[1, 0] - states[1, 1]).sum() > 100
    shares = states[1, 0] / states[1, 0].sum()
    np.testing.assert_allclose(shares, states[0, 0] / states[0, 0].sum(), atol=0.02)


def test_fixed_totals__never_change():
    states = states_of(TOY, experiment({**FIXED, "order": 3}, n_generations=30), n_generations=30)
    cells = cells_of(TOY, 3)
    totals = np.add.reduceat(states, cells.offsets[:-1], axis=2)
    assert (totals == cells.context_counts).all()
    single = np.repeat(cells.context_counts, np.diff(cells.offsets)) == 1
    assert single.any()
    assert (states[:, :, single] == 1).all()
    assert (states[:, :, ~single] != states[0][:, ~single]).any()  # negative control


def test_fixed_totals__are_rounded_multiples():
    states = states_of(TOY, experiment({**FIXED, "order": 3}, {"n_samples": {"times_truth": 0.5}}))
    cells = cells_of(TOY, 3)
    totals = np.add.reduceat(states, cells.offsets[:-1], axis=2)
    assert (totals[1:] == np.rint(0.5 * cells.context_counts)).all()
    assert (totals[1:] == 0).any()


def test_temperature__of_1_has_the_same_bits():
    plain = states_of(TOY, experiment())
    np.testing.assert_array_equal(states_of(TOY, experiment(sampling={"temperature": 1.0})), plain)
    assert (states_of(TOY, experiment(sampling={"temperature": 0.9})) != plain).any()


@pytest.mark.parametrize("totals", ["walk", "fixed"])
def test_temperature__near_0_keeps_the_most_frequent_words(totals):
    truth = corpus("a b", "a b", "a b", "c d", "a d")
    states = states_of(truth, experiment({"totals": totals}, sampling={"temperature": 1e-3}))
    cells = cells_of(truth, 2)
    for context in range(cells.n_contexts):
        mine = slice(cells.offsets[context], cells.offsets[context + 1])
        alive = states[1, 0, mine] > 0
        assert set(np.flatnonzero(alive)) <= {int(np.argmax(cells.counts[mine]))}


def test_temperature__that_keeps_walks_in_a_loop_is_refused():
    truth = corpus("a a a a a a a a b")
    message = (
        r"sampling.temperature must let walks end: fewer than 10,000,000 words and ends of sentences, got more in "
    )
    for model in ({}, {"budget": "words"}):
        made = model_of(truth, experiment(model, sampling={"temperature": 0.02}))
        state = made.initial(1, 1)
        with pytest.raises(InputError, match=message + "generation 1 of replicate 4"):
            made.advance(state, 1, 2, seed=1, first_replicate=4)


@pytest.mark.parametrize(
    ("model", "n", "limits"), [({}, 40, (200, 400, 800)), (WORDS, 4000, (3000, 4250, 4400, 4500, 6000))]
)
@pytest.mark.parametrize("n_parts", [2, 5])
def test_walks__are_given_up_whatever_the_parts(monkeypatch, model, n, limits, n_parts):
    """The walks of no part alone have too many symbols, or those of a part have them after the budget is reached."""
    truth = corpus("a a a a a a a a b", "b")
    made = experiment(model, {"n_samples": n}, sampling={"temperature": 0.7})

    def outcome(parts, most, replicate):
        monkeypatch.setattr(Ngram, "_n_parts", lambda *_: parts)
        run = model_of(truth, made)
        run._plan = run._plan._replace(most=most)
        state = run.initial(1, 1)
        try:
            run.advance(state, 1, 1, seed=1, first_replicate=replicate)
        except InputError as error:
            return str(error)
        return state.counts.tolist()

    found = [[outcome(parts, most, r) for most in limits for r in range(8)] for parts in (1, n_parts)]
    assert found[0] == found[1]
    assert 8 < sum(isinstance(one, str) for one in found[0]) < 8 * (len(limits) - 1)


@pytest.mark.parametrize("real", ["fixed", "fresh"])
def test_real_data__has_no_limit_of_walks_at_a_temperature(real):
    truth, workflow = corpus("a b c", "b a", "c"), {"name": "mix", "n_samples": 1, "n_real": 4_000_000, "real": real}
    made = experiment({}, workflow, {"temperature": 2.0}, n_generations=1)
    states = states_of(truth, made, n_generations=1, n_replicates=1)
    ends = cells_of(truth, 2).words == truth.n_words
    assert states[1, :, ends].sum() == 4_000_001


@pytest.mark.parametrize(
    ("model", "workflow", "message"),
    [
        (FIXED, {"n_samples": 25}, "workflow.n_samples must be 'truth' or {times_truth} with model.totals = 'fixed'"),
        (FIXED, {"n_samples": {"start": 3, "step": 1}}, "workflow.n_samples must be 'truth' or {times_truth} with"),
        (
            FIXED,
            {"name": "mix", "n_real": 25, "real": "fixed"},
            "workflow.n_real must be 'truth' or {times_truth} with model.totals = 'fixed'",
        ),
        (FIXED, {"n_samples": {"times_truth": 0.2}}, "workflow.n_samples must draw a word in some context, got 0"),
        ({}, {"n_samples": 10**9}, "workflow.n_samples must keep the pool at most 2,147,483,647 words and ends"),
        (
            {},
            {"name": "accumulate_subsample", "n_samples": 5, "keep_real": True, "replacement": True},
            "workflow.name must not be 'accumulate_subsample': the ngram family does not support a fit to a subsample",
        ),
        (
            {},
            {"name": "accumulate", "n_samples": 5, "keep_real": True, "window": 2},
            "workflow.window must be absent: the ngram family does not support a pool of the last batches only",
        ),
        (
            {},
            {"name": "mix", "n_samples": 5, "n_real": 5, "real": "fixed", "weight": 0.5},
            "workflow.weight must be absent: the ngram family does not support a weight",
        ),
    ],
)
def test_runs__are_refused_by_their_key(model, workflow, message):
    truth = corpus("a b c", "b a")
    with pytest.raises(InputError) as caught:
        model_of(truth, experiment(model, workflow))
    assert message in str(caught.value)


def test_maps__other_than_temperature_are_refused():
    with pytest.raises(
        InputError, match=r"sampling.top_k must be absent for the ngram family, .* supports temperature"
    ):
        experiment(sampling={"top_k": 3})


def test_states__that_are_no_sentences_are_refused():
    model = model_of(TOY, experiment())
    counts = model.initial(1, 1).counts
    for wrong, message in (
        (-counts, "counts of a state must be at least 0"),
        (counts + 1, "counts of a state must be those of whole sentences"),
        (0 * counts, "counts of a state must be those of whole sentences"),
    ):
        with pytest.raises(ValueError, match=message):
            model.restore({"counts": wrong}, 1, 1)
    model_of(TOY, experiment(FIXED)).restore({"counts": counts + 1}, 1, 1)


def test_metrics__of_contexts_are_those_of_fixed_totals():
    assert set(Ngram.available_metrics(experiment().model)) == set(METRICS)
    assert len(Ngram.available_metrics(experiment(FIXED).model)) == len(METRICS) + 3
    assert module.MODEL is Ngram


def test_truth_total__is_in_the_unit_of_the_sizes():
    totals = [Ngram.truth_total(TOY, experiment(model).model) for model in ({}, WORDS, FIXED)]
    assert totals == [7, 18, 25]


# Generation -> V/V_0, D/D_0, entropy with standard errors, of independent simulations, and their number of runs.
GOLDEN = {
    2: (
        {
            1: (0.89106, 51e-5, 0.71051, 54e-5, 3.8663, 7e-4),
            2: (0.81261, 69e-5, 0.56448, 63e-5, 3.7102, 11e-4),
            3: (0.75076, 53e-5, 0.47268, 69e-5, 3.5898, 15e-4),
            5: (0.65925, 72e-5, 0.36133, 67e-5, 3.4078, 17e-4),
            7: (0.59363, 82e-5, 0.29512, 64e-5, 3.2722, 18e-4),
            10: (0.52255, 87e-5, 0.23334, 55e-5, 3.1172, 19e-4),
        },
        20,
    ),
    3: (
        {
            1: (0.8900, 9e-4, 0.6620, 8e-4),
            2: (0.8110, 13e-4, 0.5028, 8e-4),
            3: (0.7495, 12e-4, 0.4083, 5e-4),
            5: (0.6598, 16e-4, 0.2997, 7e-4),
            7: (0.5937, 14e-4, 0.2375, 7e-4),
            10: (0.5230, 10e-4, 0.1822, 6e-4),
        },
        10,
    ),
    4: (
        {
            1: (0.8886, 6e-4, 0.6425, 13e-4),
            2: (0.8080, 15e-4, 0.4805, 11e-4),
            3: (0.7457, 13e-4, 0.3863, 12e-4),
            5: (0.6561, 3e-4, 0.2803, 11e-4),
            7: (0.5918, 10e-4, 0.2206, 9e-4),
            10: (0.5208, 13e-4, 0.1676, 9e-4),
        },
        6,
    ),
    8: (
        {
            1: (0.8874, 12e-4, 0.6370, 8e-4),
            2: (0.8073, 13e-4, 0.4753, 5e-4),
            3: (0.7445, 7e-4, 0.3808, 7e-4),
            5: (0.6529, 9e-4, 0.2739, 8e-4),
            7: (0.5878, 5e-4, 0.2145, 6e-4),
            10: (0.5190, 16e-4, 0.1633, 12e-4),
        },
        6,
    ),
    16: (
        {
            1: (0.8862, 19e-4, 0.6376, 14e-4),
            2: (0.8069, 18e-4, 0.4738, 16e-4),
            3: (0.7456, 17e-4, 0.3798, 11e-4),
            5: (0.6540, 9e-4, 0.2732, 10e-4),
            7: (0.5865, 11e-4, 0.2141, 5e-4),
            10: (0.5177, 15e-4, 0.1624, 5e-4),
        },
        6,
    ),
}


def curves(text, made, n_replicates, n_generations):
    """Return V/V_0, D/D_0 and the entropy, float64 (R, T, 3)."""
    model = model_of(text, made)
    names = ("support_size", "n_cells", "entropy")
    start = model.measure(model.generation_0(1, 1), text, names)
    state = model.initial(n_replicates, 1)
    found = []
    for t in range(1, n_generations + 1):
        got = model.measure(model.advance(state, t, 1, seed=1), text, names)
        scale = (start["support_size"], start["n_cells"], 1.0)
        found.append([got[name][:, 0] / np.ravel(one) for name, one in zip(names, scale, strict=True)])
    return np.moveaxis(np.array(found), 2, 0)


def golden_z(values, golden):
    """Return z-scores against means with standard errors of other simulations."""
    expected, errors = np.array(golden[::2]), np.array(golden[1::2])
    values = values[:, : len(expected)]
    own = values.std(axis=0, ddof=1) / np.sqrt(len(values))
    return (values.mean(axis=0) - expected) / np.hypot(own, errors)


def test_bigrams__have_the_golden_curves(text):
    got, (golden, _) = curves(text, experiment(), 8, 3), GOLDEN[2]
    for t in (1, 3):
        assert np.abs(golden_z(got[:, t - 1], golden[t])).max() < 4
    # A hundred other runs.
    assert np.abs(golden_z(got[:, 0], (0.89027, 22e-5, 0.71026, 22e-5))).max() < 4
    # Negative control: fixed totals, whose first generation has 0.6 % more words and 2 % more cells.
    fixed = curves(text, experiment(FIXED), 8, 1)
    assert np.abs(golden_z(fixed[:, 0], golden[1])).max() > 8
    assert np.abs(z_scores(fixed[:, 0, :2], np.array([0.8959644572, 0.7303556586]))).max() < 4


@pytest.mark.slow
@pytest.mark.parametrize("order", GOLDEN)
def test_curves__are_golden(text, order):
    golden, n_runs = GOLDEN[order]
    got = curves(text, experiment({"order": order}, n_generations=10), max(n_runs, 8), max(golden))
    for t, expected in golden.items():
        assert np.abs(golden_z(got[:, t - 1], expected)).max() < 4


@pytest.mark.slow
def test_curves__of_a_budget_of_words_are_golden(text):
    golden = {
        1: (0.89112, 35e-5, 0.71036, 16e-5),
        5: (0.65980, 64e-5, 0.36156, 26e-5),
        10: (0.52361, 59e-5, 0.23393, 22e-5),
    }
    got = curves(text, experiment({"budget": "words"}, n_generations=10), 12, 10)
    for t, expected in golden.items():
        assert np.abs(golden_z(got[:, t - 1], expected)).max() < 4


@pytest.mark.slow
def test_curves__of_many_generations_are_golden(text):
    """One other run: V/V_0, D/D_0 and the entropy, with the deviation of a run."""
    golden = {
        20: (0.3888, 0.1404, 2.780),
        50: (0.2368, 0.0660, 2.347),
        100: (0.1536, 0.0362, 2.023),
        200: (0.0939, 0.0189, 1.639),
    }
    got = curves(text, experiment({"budget": "words"}, n_generations=200), 8, 200)
    for t, expected in golden.items():
        values = got[:, t - 1]
        z = (values.mean(axis=0) - expected) / (values.std(axis=0, ddof=1) * np.sqrt(1 + 1 / len(values)))
        assert np.abs(z).max() < 6  # Student's t of 7 degrees of freedom: 5e-4 each


@pytest.mark.slow
def test_curves__with_fixed_totals_are_golden(text):
    golden = {2: (0.8221, 8e-4, 0.5930, 3e-4), 5: (0.6820, 8e-4, 0.4033, 2e-4), 10: (0.5629, 10e-4, 0.2864, 2e-4)}
    got = curves(text, experiment(FIXED, n_generations=10), 12, 10)
    for t, expected in golden.items():
        assert np.abs(golden_z(got[:, t - 1], expected)).max() < 4
