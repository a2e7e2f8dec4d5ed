"""Datasets: the shipped corpus, other kinds of truth, and errors of invalid files."""

import gzip
import hashlib
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fastcollapse.datasets import corpus
from fastcollapse.datasets.arrays import read_matrix
from fastcollapse.datasets.data_files import DataFiles
from fastcollapse.datasets.load import load_truth
from fastcollapse.datasets.shipped import data_folder, describe_recipe, find_data, recipes
from fastcollapse.errors import InputError
from fastcollapse.models.discrete.truth import DiscreteTruth, ZipfMandelbrot

CORPUS = "data/wikitext2_sample.txt.gz"
# The words of published figures on the shipped sample.
OLD_RULE = r"\w+"


def naive_words(text):
    counts = {}
    for word in re.sub(r"\W+", " ", text.lower()).split():
        counts[word] = counts.get(word, 0) + 1
    return counts


def words_of(truth):
    return dict(zip(truth.labels, truth.counts.tolist(), strict=True))


def test_load_truth__shipped_corpus_has_the_published_size():
    truth = load_truth(DiscreteTruth(text=CORPUS, token_pattern=OLD_RULE))
    assert truth.total == 436_577
    assert truth.support_size == 19_919
    assert int((truth.counts == 1).sum()) == 4_378
    assert truth.labels[:3] == ("the", "of", "unk")
    assert truth.counts.dtype == np.int64
    np.testing.assert_allclose(truth.probabilities.sum(), 1, rtol=1e-12)


def test_load_truth__shipped_corpus_equals_the_plain_reading():
    text = gzip.decompress((data_folder() / "wikitext2_sample.txt.gz").read_bytes()).decode()
    expected = naive_words(text)
    truth = load_truth(DiscreteTruth(text=CORPUS, token_pattern=OLD_RULE))
    assert words_of(truth) == expected
    assert list(truth.labels) == sorted(expected, key=lambda word: (-expected[word], word))


@settings(deadline=None)
@given(text=st.text(st.sampled_from("aAbBΣσ_1é \n\r\t.-'İ中"), max_size=60))
def test_load_truth__text_equals_the_plain_reading_whatever_the_chunks(tmp_path_factory, text):
    path = tmp_path_factory.mktemp("text") / "x.txt"
    path.write_bytes(f"x y {text}".encode())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(corpus, "_CHUNK", 5)
        truth = load_truth(DiscreteTruth(text=str(path), token_pattern=OLD_RULE))
    assert words_of(truth) == naive_words(f"x y {text}")


def test_readme__states_the_checksum_of_every_data_file():
    readme = (data_folder() / "README.md").read_text(encoding="utf-8")
    for path in data_folder().glob("*.gz"):
        assert path.name in readme
        assert hashlib.sha256(path.read_bytes()).hexdigest() in readme


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("x.csv", "word,count\nb,2\na,2\n\nc,10\nnone,0\n"),
        ("x.csv", "b, 2\na,2\r\nc,10"),
        ("x.tsv", "word\tcount\nb\t2\na\t2\nc\t10\n"),
        ("x.csv", "\ufeffWord,Count\na,2\nb,2\nc,10\n"),
    ],
)
def test_load_truth__counts_table_by_comma_or_tab(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content.encode())
    truth = load_truth(DiscreteTruth(counts=str(path)))
    assert truth.labels == ("c", "a", "b")
    np.testing.assert_array_equal(truth.counts, [10, 2, 2])
    np.testing.assert_allclose(truth.probabilities, [10 / 14, 2 / 14, 2 / 14])


def test_load_truth__counts_table_knows_odd_words_and_gzip(tmp_path):
    path = tmp_path / "x.csv.gz"
    path.write_bytes(gzip.compress(b'"a,b",3\n"""",2\n'))
    assert load_truth(DiscreteTruth(counts=str(path))).labels == ("a,b", '"')
    path = tmp_path / "x.tsv"
    path.write_bytes(b'"\t3\n,\t999999999999997\n')
    truth = load_truth(DiscreteTruth(counts=str(path)))
    assert truth.labels == (",", '"')
    assert truth.total == 10**15


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("a,2\nb,-1\n", "truth.counts must have whole counts from 0 to 10**15, got '-1' in line 2"),
        ("a,2\nb,1.5\n", "got '1.5' in line 2"),
        ("a,2\nb,1000000000000001\n", "got '1000000000000001' in line 2"),
        ("a,2\nb," + "9" * 5000 + "\n", "must have whole counts"),
        ("a,2\nb,\u0663\n", "got '\u0663' in line 2"),
        ("a,1000000000000000\nb,1\n", "truth.counts must have at most 10**15 tokens, got 1000000000000001"),
        ("a,2\na,3\n", "truth.counts must name each word once, got 'a' again in line 2"),
        ("a,2\nword,count\n", "got 'count' in line 2"),
        ("a,2,3\n", "must have one word and one count in each line"),
        ("a\n", "must have one word and one count in each line"),
        (",3\n", "must have one word and one count in each line"),
        ('a,2\n"b,3\n', "must be a table of word and count"),
        ("word,count\n", "at least two different words, got 0"),
        ("a,5\nb,0\n", "truth.counts must have at least two different words, got 1"),
        ("a,2\nb,\x003\n", "got the binary file"),
        ("", "got the empty file"),
    ],
)
def test_load_truth__refuses_a_bad_table(tmp_path, content, expected):
    path = tmp_path / "x.csv"
    path.write_bytes(content.encode())
    with pytest.raises(InputError) as caught:
        load_truth(DiscreteTruth(counts=str(path)))
    assert expected in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("x.txt", b"", "truth.text must be a text file with words, got the empty file"),
        ("x.txt.gz", b"", "got the empty file"),
        ("x.txt", b" .,\n", "truth.text must have at least two different words, got 0"),
        ("x.txt.gz", gzip.compress(b"", mtime=0), "must have at least two different words, got 0"),
        ("x.txt", b"one One\nONE", "truth.text must have at least two different words, got 1"),
        ("x.txt", b"one two\0three", "truth.text must be a text file, got the binary file"),
        ("x.txt", b"one two \xff\xfe", "truth.text must be UTF-8 text, got '"),
        ("x.txt", b"one two \xe2\x82", "truth.text must be UTF-8 text"),
        ("x.txt.gz", gzip.compress(b"one two three" * 99, mtime=0)[:-12], "must be a complete gzip file, got '"),
        ("x.txt.gz", b"one two three", "truth.text must be a complete gzip file, got '"),
        ("x.txt.gz", gzip.compress(b"one two three" * 99, mtime=0)[:20] + b"\x00" * 30, "must be a complete gzip file"),
    ],
)
def test_load_truth__refuses_a_bad_text(tmp_path, name, content, expected):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        load_truth(DiscreteTruth(text=str(path)))
    assert expected in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("nowhere.txt", "truth.text must be a file, got 'nowhere.txt': no such file"),
        ("data", "truth.text must be a file, got 'data': a directory"),
        ("/dev/zero", "truth.text must be a file, got '/dev/zero': a device or pipe"),
        ("a\0b", "truth.text must be a file"),
        ("x" * 300, "File name too long"),
    ],
)
def test_load_truth__refuses_a_path_that_is_no_file(path, expected):
    with pytest.raises(InputError) as caught:
        load_truth(DiscreteTruth(text=path))
    assert expected in str(caught.value)


MATRIX = np.array([[1.0, -2.5, 3e-7], [4.0, 5.0, 6.0]])
TABLES = [
    "1,-2.5,3e-7\n4,5,6\n",
    "a,b,c\n1,-2.5,3e-7\n4,5,6",
    "\ufeff1, -2.5, 3e-7\r\n4, 5, 6\r\n",
    "\ufeffx 1,x 2,x 3\n1,-2.5,3e-7\n\n4,5,6\n",
    "\n1,-2.5,3e-7\n4,5,6\n",
]

NUMBERS = "must be numbers in an idx, .npy, .npz or .csv file, gzipped or not, got"


@pytest.mark.parametrize("content", TABLES)
def test_read_matrix__table_with_or_without_names(tmp_path, content):
    path = tmp_path / "x.csv"
    path.write_bytes(content.encode())
    np.testing.assert_array_equal(read_matrix(str(path), DataFiles(), "truth.rows"), MATRIX)


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int16, np.uint8, ">f8"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_read_matrix__arrays_of_any_numbers(tmp_path, dtype, order):
    given = np.array([[1, 2, 3], [4, 5, 6]], dtype=dtype, order=order)
    np.save(tmp_path / "x.npy", given)
    got = read_matrix("x.npy", DataFiles(tmp_path), "truth.rows")
    np.testing.assert_array_equal(got, given)
    assert got.dtype == np.float64
    assert got.dtype.isnative


def test_read_matrix__one_row_or_one_column(tmp_path):
    for content, shape in (("1\n2\n3\n", (3, 1)), ("1,2,3\n", (1, 3)), ("x\n7\n", (1, 1))):
        (tmp_path / "x.csv").write_text(content)
        assert read_matrix("x.csv", DataFiles(tmp_path), "truth.rows").shape == shape


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (None, "must be a file, got 'x.csv': no such file"),
        ("", "must be an array of finite numbers, got shape "),
        ("a,b\n", "must be an array of finite numbers, got shape "),
        (
            "1,2\n3,four\n",
            f"{NUMBERS} 'x.csv': could not convert string 'four'",
        ),
        # A slip in the first line is no line of names.
        (
            "1.o,2\n3,4\n",
            f"{NUMBERS} 'x.csv': could not convert string '1.o'",
        ),
        ("1,2\n3\n", f"{NUMBERS} 'x.csv': "),
        ("1,nan\n3,4\n", "must be an array of finite numbers, got entries that are not finite in 'x.csv'"),
        ("1,2\n3,-inf\n", "must be an array of finite numbers, got entries that are not finite in 'x.csv'"),
        ("1,2\n3,\n", f"{NUMBERS} 'x.csv': "),
        (b"\xff\xfe1,2", f"{NUMBERS} 'x.csv': "),
    ],
)
def test_read_matrix__refuses_a_bad_table(tmp_path, content, expected):
    if content is not None:
        (tmp_path / "x.csv").write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(InputError) as caught:
        read_matrix("x.csv", DataFiles(tmp_path), "truth.covariance")
    assert f"truth.covariance {expected}" in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (
            np.array([[1, "a"]], dtype=object),
            f"{NUMBERS} 'x.npy': Object arrays cannot be loaded",
        ),
        (
            np.array([["1", "2"]]),
            f"{NUMBERS} 'x.npy': entries are <U1",
        ),
        (
            np.array([[1j, 2]]),
            f"{NUMBERS} 'x.npy': entries are complex128",
        ),
        (
            np.array([[True, False]]),
            f"{NUMBERS} 'x.npy': entries are bool",
        ),
        (
            np.array([(1.0, 2)], dtype=[("a", "f8"), ("b", "i4")]),
            f"{NUMBERS} 'x.npy': entries are",
        ),
        (np.ones(3), "must be a matrix of numbers, got shape (3,) in 'x.npy'"),
        (np.ones((2, 2, 2)), "must be a matrix of numbers, got shape (2, 2, 2) in 'x.npy'"),
        (np.ones((0, 3)), "must be an array of finite numbers, got shape (0, 3) in 'x.npy'"),
        (np.array([[1.0, np.nan]]), "must be an array of finite numbers, got entries that are not finite in 'x.npy'"),
        (np.array([[1.0, np.inf]]), "must be an array of finite numbers, got entries that are not finite in 'x.npy'"),
    ],
)
def test_read_matrix__refuses_a_bad_array(tmp_path, given, expected):
    np.save(tmp_path / "x.npy", given, allow_pickle=True)
    with pytest.raises(InputError) as caught:
        read_matrix("x.npy", DataFiles(tmp_path), "truth.rows")
    assert f"truth.rows {expected}" in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_read_matrix__refuses_other_and_cut_off_files(tmp_path):
    np.savez(tmp_path / "x.npz", a=np.eye(2), b=np.eye(2))
    np.save(tmp_path / "whole.npy", np.eye(9))
    (tmp_path / "cut.npy").write_bytes((tmp_path / "whole.npy").read_bytes()[:-20])
    (tmp_path / "text.npy").write_text("1,2\n3,4\n")
    (tmp_path / "empty.npy").write_bytes(b"")
    for name, words in (
        ("x.npz", "must name one of its arrays (a, b), as in FILE.npz:a, got 'x.npz'"),
        ("cut.npy", f"{NUMBERS} 'cut.npy'"),
        ("text.npy", "must be an idx, .npy, .npz or .csv file, gzipped or not, got 'text.npy'"),
        ("empty.npy", "must be an idx, .npy, .npz or .csv file, gzipped or not, got 'empty.npy'"),
        (".", "must be a file, got '.': a directory"),
    ):
        with pytest.raises(InputError) as caught:
            read_matrix(name, DataFiles(tmp_path), "truth.rows")
        assert str(caught.value).startswith(f"truth.rows {words}")
        assert len(str(caught.value).splitlines()) == 1


def test_find_data__looks_here_then_beside_the_experiment_then_among_ours(tmp_path, monkeypatch):
    here, beside = tmp_path / "here", tmp_path / "beside"
    here.mkdir()
    beside.mkdir()
    monkeypatch.chdir(here)
    assert find_data(CORPUS, beside) == data_folder() / "wikitext2_sample.txt.gz"
    assert find_data("wikitext2_sample.txt.gz", beside) == data_folder() / "wikitext2_sample.txt.gz"
    (beside / "data").mkdir()
    (beside / CORPUS).write_bytes(b"")
    assert find_data(CORPUS, beside) == beside / CORPUS
    (here / "data").mkdir()
    (here / CORPUS).write_bytes(b"")
    assert find_data(CORPUS, beside).resolve() == here / CORPUS


@pytest.mark.parametrize(("a", "b"), [(1, 2.7), (2, 5), (1000, -0.5), (0.5, 1e15), (1000, 0)])
def test_load_truth__zipf_mandelbrot_is_a_law(a, b):
    truth = load_truth(DiscreteTruth(zipf_mandelbrot=ZipfMandelbrot(a=a, b=b, size=1000)))
    p = truth.probabilities
    assert p.shape == (1000,)
    assert np.isfinite(p).all()
    assert (np.diff(p) <= 0).all()
    np.testing.assert_allclose(p.sum(), 1, rtol=1e-12)
    np.testing.assert_allclose(p[1] / p[0], ((1 + b) / (2 + b)) ** a, rtol=1e-9, atol=1e-300)
    assert truth.counts is None
    assert truth.labels is None
    assert truth.total is None


def test_load_truth__uniform_and_given_probabilities():
    np.testing.assert_array_equal(load_truth(DiscreteTruth(uniform=4)).probabilities, [0.25] * 4)
    truth = load_truth(DiscreteTruth(probabilities=(0.01, 0.99, 0)))
    np.testing.assert_array_equal(truth.probabilities, [0.01, 0.99, 0])
    assert truth.support_size == 3
    nearly = load_truth(DiscreteTruth(probabilities=(0.5, 0.5 + 5e-10)))
    np.testing.assert_allclose(nearly.probabilities.sum(), 1, rtol=1e-15)


@pytest.mark.parametrize("name", recipes())
def test_recipes__describe_themselves_and_find_their_data(name, tmp_path, monkeypatch):
    from fastcollapse.simulation.experiment import Experiment

    monkeypatch.chdir(tmp_path)
    experiment = Experiment.from_toml(recipes()[name])
    assert len(describe_recipe(recipes()[name])) > 20
    if getattr(experiment.truth, "data", None) is not None:
        pytest.importorskip("sklearn")
    truth = load_truth(experiment.truth, experiment.base)
    experiment.workflow.schedule(experiment.run.n_generations, truth.total)
