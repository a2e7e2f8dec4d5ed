"""Header and blocks from the content of a file, without HDF5."""

import dataclasses

import numpy as np
import pytest

from fastcollapse.datasets.count_spectrum import CountSpectrum, ZipfMandelbrotLaw
from fastcollapse.datasets.sentences import Sentences
from fastcollapse.errors import UnreadableResults
from fastcollapse.simulation.same_experiment import same_truth
from fastcollapse.storage.base import Reader
from fastcollapse.storage.blocks import Block, take
from fastcollapse.storage.content import Content, check_format, read_block, read_header
from fastcollapse.storage.layout import block_arrays, groups_of, header_arrays
from fastcollapse.variables import SampleRows, Variable
from tests.storage._stored_runs import block_of, make_header, make_run


def content_of(header, blocks):
    """Return the content of a file with these blocks."""
    arrays, attributes = {}, groups_of(header, blocks)
    for array in (*header_arrays(header), *block_arrays(header, blocks, dims=True)):
        chunks = [chunk.reshape(-1) for chunk in array.converted()]
        arrays[array.name] = np.concatenate(chunks or [np.empty(0, array.dtype)]).reshape(array.shape)
        attributes[array.name] = dict(array.attributes)
    return Content(arrays, attributes)


def test_read__returns_what_was_laid_out():
    header = make_header()
    run = make_run(header)
    content = content_of(header, [block_of(header, run, first, stop) for first, stop in ((0, 1), (1, 4), (4, 8))])
    check_format(content)
    got = read_header(content)
    assert (got.metrics, got.states, got.samples, got.trajectory) == (header.metrics, {}, {}, True)
    assert got.truth.labels == header.truth.labels
    block, expected = read_block(content, got), block_of(header, run, 1, 8)
    for name, values in run[1].items():
        np.testing.assert_array_equal(block.metrics[name], values)
    for name in ("indptr", "indices", "data"):
        np.testing.assert_array_equal(getattr(block.rows, name), getattr(expected.rows, name))


def test_read__returns_weights():
    header = dataclasses.replace(make_header(), weighted=True)
    dense, metrics = make_run(header)
    run = dense / np.maximum(dense.sum(axis=2, keepdims=True), 1), metrics
    # Part 0 has no rows: its type says that rows are weights.
    assert read_header(content_of(header, [])).weighted
    assert not read_header(content_of(make_header(), [])).weighted
    blocks = [take(header, first, block_of(header, run, first, stop)) for first, stop in ((0, 1), (1, 8))]
    content = content_of(header, blocks)
    assert content.attributes["/"]["format_version"] == 2
    got = read_header(content)
    block = read_block(content, got)
    np.testing.assert_array_equal(block.rows.data, blocks[1].rows.data)
    symbols, weights = Reader(got, [read_block(content, got)]).counts(1, 7)
    np.testing.assert_array_equal(weights, run[0][6, 1][symbols])
    for wrong in (0.0, -0.1, 1.1, np.nan, np.inf):
        content.arrays["trajectory/data"][-1] = wrong
        with pytest.raises(UnreadableResults, match="generation 7 has a weight beyond 0 to 1"):
            Reader(got, [read_block(content, got)]).counts(2, 7)
    content.arrays["trajectory/data"] = np.ones(len(block.rows.data), np.uint8)
    with pytest.raises(ValueError, match="trajectory/data must have the type f8, got uint8"):
        read_block(content, got)
    for other, block in (
        (make_header(), block_of(header, run, 1, 8)),
        (header, block_of(header, make_run(header), 1, 8)),
    ):
        with pytest.raises(ValueError, match="rows of block 1 must be"):
            take(other, 1, block)


def ragged_content():
    header = make_header(n_replicates=2, n_generations=1, trajectory=False)
    header = dataclasses.replace(header, samples={"points": Variable("points", ragged=True)})
    metrics = {name: np.zeros((2, 2)) for name in header.metrics}
    rows = SampleRows(np.array([0, 2, 2, 3, 6]), np.arange(6.0))
    return header, rows, content_of(header, [Block(0, metrics, None, samples={"points": rows})])


def test_read__returns_ragged_states():
    _, rows, content = ragged_content()
    assert content.attributes["/"]["format_version"] == 2
    np.testing.assert_array_equal(content.arrays["points_size"], [[2, 0], [1, 3]])
    got = read_header(content)
    assert got.samples == {"points": Variable("points", ragged=True)}
    assert got.coordinates == {}
    block = read_block(content, got)
    np.testing.assert_array_equal(block.samples["points"].indptr, rows.indptr)
    np.testing.assert_array_equal(block.samples["points"].values, rows.values)


def test_read__refuses_sizes_that_do_not_fit():
    header, _, content = ragged_content()
    for sizes, match in (
        ([[2, 0], [1, 4]], "points must have 7 points, got 6"),
        ([[2, -1], [2, 3]], "points_size must be from 0 to 6"),
        ([[2**62, 2**62], [2**62, 2**62 + 6]], "points_size must be from 0 to 6"),
        ([[2, 0, 1, 3]], r"points_size must have the shape \(2, 2\)"),
    ):
        content.arrays["points_size"] = np.array(sizes)
        with pytest.raises(ValueError, match=match):
            read_block(content, header)


def test_check_format__refuses_other_files():
    _, _, content = ragged_content()
    content.attributes["/"]["format_version"] = 3
    with pytest.raises(ValueError, match="has format version 3, this fastcollapse reads up to 2"):
        check_format(content)
    content.attributes["/"]["format"] = "other"
    with pytest.raises(ValueError, match="is not a fastcollapse file"):
        check_format(content)


def test_read__returns_the_hashes_of_data_files_or_none():
    header = dataclasses.replace(make_header(), inputs={"ä b.txt": 32 * "0f"})
    content = content_of(header, [])
    got = read_header(content)
    assert got.inputs == got.truth.inputs == header.inputs
    del content.attributes["/"]["inputs"]  # version 0.1
    assert read_header(content).inputs == {}
    for wrong in ("[]", '{"a": 1}', "{", '"a"'):
        content.attributes["/"]["inputs"] = wrong
        with pytest.raises(ValueError, match="is damaged: inputs"):
            read_header(content)


SPECTRUM = CountSpectrum(np.array([1, 3, 9]), np.array([5, 2, 1]), "a test")
LAW = ZipfMandelbrotLaw(1.5, 2.7, 10**12)


def spectrum_content(truth):
    header = dataclasses.replace(make_header(trajectory=False), truth=truth, engine="spectrum", n_columns=0)
    metrics = {name: np.zeros((3, 8)) for name in header.metrics}
    return content_of(header, [Block(0, metrics, None)])


@pytest.mark.parametrize("truth", [SPECTRUM, LAW])
def test_read__returns_a_truth_without_symbols(truth):
    content = spectrum_content(truth)
    assert content.attributes["/"]["format_version"] == 2
    got = read_header(content)
    assert (got.engine, got.n_columns) == ("spectrum", 0)
    assert same_truth(truth, got.truth)
    assert got.truth.source == truth.source


def test_read__a_file_without_engine_has_none():
    content = content_of(make_header(), [])
    assert "engine" not in content.attributes["/"]
    assert read_header(content).engine == ""


@pytest.mark.parametrize(
    ("truth", "change", "expected"),
    [
        (SPECTRUM, lambda c: c.arrays.update({"truth/spectrum_count": np.array([1, 3, 3])}), "must be ascending"),
        (SPECTRUM, lambda c: c.arrays.update({"truth/spectrum_count": np.array([0, 3, 4])}), "at least 1"),
        (SPECTRUM, lambda c: c.arrays.update({"truth/spectrum_symbols": np.array([1, 2])}), "must have the shape"),
        (SPECTRUM, lambda c: c.arrays.update({"truth/spectrum_symbols": np.array([1, 2, 10**15])}), "at most 10"),
        (SPECTRUM, lambda c: c.arrays.update({"truth/spectrum_symbols": np.ones(3)}), "must have the type i8"),
        (LAW, lambda c: c.attributes["truth"].update({"a": -1.0}), "a must be a number above 0 and up to 1000"),
        (LAW, lambda c: c.attributes["truth"].update({"b": float("nan")}), "b must be a number above -1"),
        (LAW, lambda c: c.attributes["truth"].update({"size": 10**13}), "size must be a whole number of at least 2"),
        (LAW, lambda c: c.attributes["/"].update({"engine": "words"}), "engine must be one of symbols, spectrum"),
    ],
)
def test_read__refuses_a_truth_without_symbols_that_is_none(truth, change, expected):
    content = spectrum_content(truth)
    change(content)
    with pytest.raises(ValueError, match=expected):
        read_header(content)


SENTENCES = Sentences.from_words([["b", "हि"], ["b"], [".", "b", "हि"]], "a test", "character")


def sentence_content():
    header = dataclasses.replace(make_header(trajectory=True), truth=SENTENCES, n_columns=7)
    return content_of(header, [])


def test_read__returns_the_sentences_of_a_text():
    content = sentence_content()
    assert content.attributes["/"]["format_version"] == 2
    assert content.arrays["truth/token"].dtype == content.arrays["truth/sentence_length"].dtype == np.int32
    got = read_header(content)
    assert (got.n_columns, got.column, make_header().column) == (7, "cell", "symbol")
    assert same_truth(SENTENCES, got.truth)
    assert (got.truth.source, got.truth.unit) == ("a test", "character")
    assert not same_truth(SENTENCES, Sentences.from_words([["b"]], "a test", "character"))
    assert not same_truth(SENTENCES, dataclasses.replace(SENTENCES, unit="word"))
    assert not same_truth(SENTENCES, make_header().truth)
    assert not same_truth(make_header().truth, SENTENCES)


@pytest.mark.parametrize(
    ("name", "values", "expected"),
    [
        ("token", [0, 1, 0, 2, 0, 3], "truth/token must be from 0 to 2, with at least one entry"),
        ("token", [0, 1, 0, 2, 0, -1], "truth/token must be from 0 to 2"),
        ("token", [], "truth/token must be from 0 to 2, with at least one entry"),
        ("token", [0, 1, 0, 1, 0, 1], "truth/token must have each label, and each label must be there once"),
        ("token", [0, 1, 0, 2, 0], "truth/sentence_length must be at least 1 and sum to 5"),
        ("sentence_length", [2, 1, 2], "truth/sentence_length must be at least 1 and sum to 6"),
        ("sentence_length", [2, 1, 3, 0], "truth/sentence_length must be at least 1 and sum to 6"),
        ("sentence_length", [2, 2, 3, -1], "truth/sentence_length must be at least 1 and sum to 6"),
        ("sentence_length", [], "truth/sentence_length must be at least 1 and sum to 6"),
        ("label_bytes", [98, 98, 98, 98, 98, 98, 98, 98], "each label must be there once"),
    ],
)
def test_read__refuses_sentences_that_are_none(name, values, expected):
    content = sentence_content()
    before = content.arrays[f"truth/{name}"]
    content.arrays[f"truth/{name}"] = np.array(values, before.dtype)
    if name == "label_bytes":
        content.arrays["truth/label_bounds"] = np.array([0, 1, 2, 8])
    with pytest.raises(ValueError, match=f"^is damaged: .*{expected}"):
        read_header(content)


def test_read__refuses_sentences_of_another_type():
    content = sentence_content()
    content.attributes["truth"]["unit"] = "letter"
    with pytest.raises(ValueError, match="unit must be one of word, character, got 'letter'"):
        read_header(content)
    content = sentence_content()
    content.arrays["truth/token"] = content.arrays["truth/token"].astype(np.int64)
    with pytest.raises(ValueError, match="truth/token must have the type i4, got int64"):
        read_header(content)
    content = sentence_content()
    del content.arrays["truth/label_bytes"]
    with pytest.raises(KeyError, match="label_bytes"):
        read_header(content)
