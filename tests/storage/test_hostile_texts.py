"""Files of a text made to harm: every command refuses them in one line, or reads what is there."""

import json
import re

import numpy as np
import pytest

from fastcollapse import simulate
from fastcollapse.simulation.experiment import Experiment
from tests.cli._commands import call
from tests.storage import _hostile_files as hostile

COMMANDS = {
    "check": ("check", "bad.h5"),
    "info": ("info", "bad.h5"),
    "compare": ("compare", "bad.h5"),
    "plot": ("plot", "bad.h5", "-o", "new.png"),
    "profile": ("profile", "bad.h5"),
    "replay": ("replay", "bad.h5"),
    "text": ("text", "bad.h5"),
    "resume": ("run", "--resume", "bad.h5"),
}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A folder with a small finished run, whose text is gone."""
    folder = tmp_path_factory.mktemp("made")
    (folder / "x.txt").write_text("the cat sat\nthe dog sat on the cat\na dog ran\n")
    experiment = Experiment.from_mapping(
        {
            "model": {"family": "ngram", "order": 3},
            "truth": {"text": "x.txt"},
            "workflow": {"name": "replace", "n_samples": "truth"},
            "run": {"n_generations": 4, "n_replicates": 3, "seed": 1, "record": ["metrics", "trajectory"]},
        },
        base=folder,
    )
    simulate(experiment, folder / "good.h5")
    (folder / "x.txt").unlink()
    return folder


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def replaced(name, values):
    """Return the edit that replaces a data set."""

    def change(file):
        attributes, dtype = dict(file[name].attrs), file[name].dtype
        del file[name]
        file.create_dataset(name, data=np.array(values, dtype))
        for key in ("long_name", "units"):
            if key in attributes:
                file[name].attrs[key] = attributes[key]

    return change


def with_model(**values):
    """Return the edit of keys of the section model."""

    def change(file):
        known = json.loads(file.attrs["experiment"])
        known["model"] |= values
        hostile.experiment(known, "").change(file)

    return change


# Name -> the edit, words of the refusal, and the commands that need what is wrong; by default all.
EDITS = {
    "token beyond the labels": (replaced("truth/token", [0] * 11 + [99]), "truth/token must be from 0", COMMANDS),
    "no token": (replaced("truth/token", []), "truth/token must be from 0", COMMANDS),
    "wrong lengths": (replaced("truth/sentence_length", [3, 6, 99]), "truth/sentence_length must be", COMMANDS),
    "an empty sentence": (replaced("truth/sentence_length", [12, 0]), "truth/sentence_length must be", COMMANDS),
    "no lengths": (lambda file: file.pop("truth/sentence_length"), "sentence_length", COMMANDS),
    "no labels": (lambda file: file.pop("truth/label_bytes"), "label_bytes", COMMANDS),
    "no truth": (lambda file: file.pop("truth"), "its truth is not of the ngram family", COMMANDS.keys() - {"check"}),
    "another family": (with_model(family="poisson"), "its experiment is refused", COMMANDS.keys() - {"check"}),
    "another order": (with_model(order=2), "its trajectory has .* cells, its text", ["text"]),
}


@pytest.mark.parametrize("name", EDITS)
def test_edited_text__is_refused_in_one_line(made, here, name):
    change, words, refusing = EDITS[name]
    hostile.edited(made / "good.h5", here / "bad.h5", change)
    for command, arguments in COMMANDS.items():
        with hostile.bounded():
            answer = call(*arguments)
        assert "Traceback" not in answer.output, (command, answer.output)
        assert isinstance(answer.exception, SystemExit | None), (command, answer.exception)
        if command in refusing:
            assert (answer.exit_code, len(answer.stderr.splitlines())) == (2, 1), (command, answer.output)
            assert re.match(f"error: bad.h5: .*{words}", answer.stderr), (command, answer.stderr)


def test_sealed_text__is_read(made, here):
    """The negative control: the edits are refused for what they change, not for how they are made."""
    hostile.edited(made / "good.h5", here / "bad.h5", lambda file: file.attrs.update({"note": "mine"}))
    for command, arguments in COMMANDS.items():
        assert call(*arguments).exit_code == 0, command
