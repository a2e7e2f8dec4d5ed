"""Commands of results files: output, refusals and exit status."""

import dataclasses
import re
import shutil

import h5py
import pytest

from fastcollapse import open_results, simulate
from fastcollapse.config.thresholds import Thresholds
from fastcollapse.simulation.experiment import Experiment
from fastcollapse.simulation.recorded_run import RecordedRun
from fastcollapse.storage.hdf5_store import Hdf5Store
from fastcollapse.storage.part_files import parts_folder
from tests.cli._commands import call, files_in


@pytest.mark.parametrize("command", ["info", "plot", "compare", "profile", "replay", "text"])
def test_file_commands__report_a_missing_or_foreign_file_in_one_line(command, here):
    for name in ("none.h5", "small.toml"):
        result = call(command, name)
        assert result.exit_code == 2
        assert re.fullmatch(f"error: .*{name}.*\n", result.stderr)
    assert files_in(here) == ["small.toml"]


@pytest.fixture
def barely_begun(ran, here):
    """A run that was killed before its first part with a generation."""
    experiment = open_results(ran[0] / "small.h5").experiment
    header = open_results(ran[0] / "small.h5")._reader.header
    assert experiment.run.n_generations == 15
    store = Hdf5Store(header, here / "begun.h5")
    store.commit({}, force=True)
    shutil.copytree(store.parts, here / "kept")
    store.close()
    (here / "kept").rename(parts_folder(here / "begun.h5"))
    return "begun.h5"


@pytest.mark.parametrize("command", ["plot", "compare", "profile", "replay"])
def test_file_commands__need_a_finished_generation(command, barely_begun, here):
    result = call(command, barely_begun)
    assert result.exit_code == 2
    assert re.fullmatch("error: a .* must have at least one finished generation, got none.*\n", result.stderr)


def test_info__of_a_run_without_a_generation_says_so(barely_begun):
    result = call("info", barely_begun)
    assert result.exit_code == 0, result.output
    for words in ("not finished, no generation yet", "seed 5", "numba"):
        assert words in result.stdout


def test_info__shows_the_size_of_a_small_file_in_kilobytes(ran):
    assert re.search(r"small\.h5, [1-9][0-9.]* kB: complete", call("info", ran[0] / "small.h5").output)


def test_info__shows_experiment_and_provenance(ran):
    result = call("info", ran[0] / "small.h5")
    assert result.exit_code == 0
    for words in ("complete", "seed 5", "metrics, trajectory", "numba", "support_size"):
        assert words in result.output


def test_plot__takes_a_free_name_and_refuses_a_taken_one(ran):
    folder = ran[0]
    result = call("plot", folder / "small.h5")
    assert result.output.strip() == str(folder / "small-2.png")
    old = (folder / "small.png").read_bytes()
    result = call("plot", folder / "small.h5", "-o", folder / "small.png")
    assert result.exit_code == 2
    assert "figure must be a new file" in result.stderr
    assert (folder / "small.png").read_bytes() == old
    assert call("plot", folder / "small.h5", "-o", folder / "a.txt").exit_code == 2


def test_compare__agrees_with_theory(ran):
    result = call("compare", ran[0] / "small.h5")
    assert result.exit_code == 0, result.output
    assert "The simulation agrees with exact theory in 2 of 2 metrics (symbols alive (%), H):" in result.output


def test_compare__a_wrong_run_disagrees(ran, monkeypatch):
    """Negative control: the same test detects a sample size that is 20 % off."""
    monkeypatch.setattr("fastcollapse.analysis.panels.discrete.replace_only_size", lambda results: 240)
    result = call("compare", ran[0] / "small.h5")
    assert result.exit_code == 1
    assert "DISAGREES" in result.output


def test_profile__prints_what_python_returns(ran):
    result = call("profile", ran[0] / "small.h5")
    assert result.exit_code == 0, result.output
    for finding in open_results(ran[0] / "small.h5").profile():
        assert re.search(rf"^  {finding.name} +{finding.holds} ", result.output, re.MULTILINE)
    assert result.stderr == ""


def test_profile__thresholds_are_options(ran):
    words = call("profile", "--help").output
    for field in dataclasses.fields(Thresholds):
        assert f"--{field.name} " in words
    result = call("profile", ran[0] / "small.h5", "--catastrophic", "3", "--risk", "total_variation", "--baseline", "2")
    assert "the mean risk is above 3 times that of generation 2, by 4 standard errors" in result.output
    assert "total variation distance to the truth over that at generation 2" in result.output


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("--catastrophic=0.5", "catastrophic must be above 1, got 0.5"),
        ("--risk=lost", "risk must be a recorded metric without further dimensions, one of .*, got 'lost'"),
        ("--z=a", "Invalid value for '--z'.*"),
    ],
)
def test_profile__refusals_are_one_line(ran, option, message):
    result = call("profile", ran[0] / "small.h5", option)
    assert result.exit_code == 2
    assert re.fullmatch(f"error: {message}.*\n", result.stderr)


def test_replay__is_identical_on_one_thread(ran):
    result = call("replay", ran[0] / "small.h5", "--threads", "1")
    assert result.exit_code == 0, result.output
    assert result.output.startswith("identical, bit for bit: support_size,")
    assert "forgotten, counts" in result.output


def test_replay__reports_another_number(ran, monkeypatch):
    other = Experiment.from_toml(ran[0] / "small.toml").with_values({"run.seed": 6})
    monkeypatch.setattr(RecordedRun, "experiment", other)
    result = call("replay", ran[0] / "small.h5")
    assert result.exit_code == 1
    assert "different: support_size:" in result.output
    assert "different: counts: first at replicate 0, generation 1" in result.output


@pytest.fixture
def texts(here):
    """Results files of a text: one with the counts of every generation, and one without."""
    (here / "x.txt").write_text("the cat sat\nthe dog sat on the cat\na dog\x1b[2J ran\n" * 3)
    experiment = Experiment.from_mapping({
        "model": {"family": "ngram", "order": 2},
        "truth": {"text": "x.txt", "token_pattern": r"\S+"},
        "workflow": {"name": "replace", "n_samples": "truth"},
        "run": {"n_generations": 6, "n_replicates": 2, "seed": 3},
    })  # fmt: skip
    simulate(experiment, here / "plain.h5")
    simulate(experiment.with_values({"run.record": ["trajectory"]}), here / "recorded.h5")
    return here


def test_text__prints_a_sentence_a_line_from_recorded_counts_or_a_replay(texts):
    printed = [
        call("text", texts / name, "--generation", 4, "--replicate", 1, "-n", 30)
        for name in ("plain.h5", "recorded.h5")
    ]
    assert [result.exit_code for result in printed] == [0, 0]
    assert printed[0].stdout == printed[1].stdout
    lines = printed[0].stdout.splitlines()
    assert len(lines) == 30
    assert set(" ".join(lines).split()) <= {"the", "cat", "sat", "dog", "on", "a", "ran", r"dog\x1b[2j"}
    last = call("text", texts / "plain.h5")
    assert last.stdout == call("text", texts / "plain.h5", "--generation", 6, "--seed", 3).stdout
    assert len(last.stdout.splitlines()) == 5


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--generation", 7], "generation must be an integer from 0 to 6, got 7"),
        (["--generation", -1], "generation must be an integer from 0 to 6, got -1"),
        (["--replicate", 2], "replicate must be an integer from 0 to 1, got 2"),
        (["-n", 10**7], "n must be an integer from 0 to 1000000, got 10000000"),
        (["--seed", -1], "seed must be an integer from 0 to 18446744073709551615, got -1"),
    ],
)
def test_text__refuses_what_the_run_does_not_have(texts, options, expected):
    result = call("text", texts / "plain.h5", *options)
    assert (result.exit_code, result.stderr) == (2, f"error: {expected}\n")


def test_text__of_another_family_is_refused_in_one_line(ran):
    result = call("text", ran[0] / "small.h5")
    expected = "error: text must be that of a family with sentences, got a run of the discrete family\n"
    assert (result.exit_code, result.stderr) == (2, expected)


@pytest.mark.parametrize("name", ["truth/token", "trajectory/data"])
def test_text__needs_data_that_are_not_damaged(texts, name):
    with h5py.File(texts / "recorded.h5") as file:
        at = file[name].id.get_offset()
    content = bytearray((texts / "recorded.h5").read_bytes())
    content[at] ^= 1
    (texts / "bad.h5").write_bytes(content)
    result = call("text", texts / "bad.h5")
    assert result.exit_code == 2
    assert re.fullmatch("error: .*bad.h5: is damaged: .*\n", result.stderr)


def test_run__shows_sentences_of_the_first_generations(texts):
    (texts / "x.toml").write_text(
        '[model]\nfamily = "ngram"\norder = 2\n[truth]\ntext = "x.txt"\n[workflow]\nname = "replace"\n'
        'n_samples = "truth"\n[run]\nn_generations = 6\nn_replicates = 2\nseed = 3\n'
    )
    result = call("run", texts / "x.toml", "-o", texts / "out.h5")
    assert result.exit_code == 0, result.output
    block = result.stdout[result.stdout.index("Sentences that the models of replicate 0 write") :].split("\n\n")[0]
    generations = [line.split()[0] for line in block.splitlines()[2:] if line[11] != " "]
    assert generations == ["0", "1", "5"]
    shown = [line[14:] for line in block.splitlines()[2:]]
    assert shown[-3:] == open_results(texts / "out.h5").text(5, n=3)


def test_plot__one_panel(ran, tmp_path):
    figure = tmp_path / "one.png"
    assert call("plot", ran[0] / "small.h5", "--panel", "heterozygosity", "-o", figure).exit_code == 0
    assert figure.read_bytes().startswith(b"\x89PNG")
    result = call("plot", ran[0] / "small.h5", "--panel", "heterozygosty", "-o", tmp_path / "two.png")
    assert result.exit_code == 2
    assert "panel must be one of survival," in result.stderr
    assert "(did you mean 'heterozygosity'?)" in result.stderr
