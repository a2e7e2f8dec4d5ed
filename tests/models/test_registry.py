"""Registry of model families: shipped families, and families registered from a folder."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from fastcollapse.errors import InputError
from fastcollapse.models import families, family, register
from fastcollapse.models.base import Model
from fastcollapse.models.gaussian.family import GaussianModel
from fastcollapse.models.registry import unregister

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", families())
def test_family__is_a_model_with_metrics_and_known_capabilities(name):
    from fastcollapse.config import CAPABILITIES

    model = family(name)
    assert issubclass(model, Model)
    assert model.METRICS
    assert all(key == metric.name for key, metric in model.METRICS.items())
    assert set(CAPABILITIES) >= model.CAPABILITIES


def test_family__gaussian_is_one_class_for_all_dimensions():
    assert issubclass(family("gaussian"), GaussianModel)


def test_family__unknown_name_gives_the_nearest_match():
    with pytest.raises(InputError, match=r"got 'poison' \(did you mean 'poisson'\?\)"):
        family("poison")


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("empty", None, "must be a folder with a file model.py"),
        ("poisson", "MODEL = 1\n", "must have a new name that is an identifier, got 'poisson'"),
        ("not-a-name", "MODEL = 1\n", "must have a new name that is an identifier, got 'not-a-name'"),
        ("toy", "MODEL = 1\n", "must have MODEL, a class that extends Model, got 1"),
        (
            "toy",
            "from fastcollapse.models.base import Model\nclass MODEL(Model):\n    pass\n",
            "must define __init__, advance, block_length, initial, restore, TRUTH, METRICS",
        ),
    ],
)
def test_register__rejects_invalid_families(tmp_path, name, text, message):
    folder = tmp_path / name
    folder.mkdir()
    if text is not None:
        (folder / "model.py").write_text(text)
    before = families()
    with pytest.raises(InputError, match=message):
        register(folder)
    assert families() == before


def test_unregister__removes_a_family(tmp_path):
    folder = tmp_path / "toy"
    folder.mkdir()
    (folder / "model.py").write_text("from fastcollapse.models.poisson.model import Poisson as MODEL\n")
    assert register(folder) == "toy"
    try:
        assert "toy" in families()
        assert family("toy").__name__ == "Poisson"
        assert register(folder) == "toy"  # again, after an edit
    finally:
        unregister("toy")
    assert "toy" not in families()


def install(folder, name="toy", value="toy_package.toy"):
    """Make a folder as pip makes it: the toy family as a package, and the entry point of the package."""
    shutil.copytree(ROOT / "tests" / "toy_family", folder / "toy_package" / "toy")
    (folder / "toy_package" / "__init__.py").touch()
    info = folder / "toy_package-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: toy-package\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[fastcollapse.families]\n{name} = {value}\n")


def run_with(folder, *arguments):
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(folder)])}
    done = subprocess.run(
        [sys.executable, *arguments], env=environment, cwd=folder, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout, done.stderr


TOY = """
[model]
family = "toy"
[truth]
n_points = 4
[workflow]
name = "replace"
n_samples = 3
[run]
n_generations = 2
n_replicates = 2
"""


def test_entry_point__adds_a_family_to_commands_and_to_workers_of_pools(tmp_path):
    install(tmp_path)
    (tmp_path / "toy.toml").write_text(TOY + "seed = 1\n")
    (tmp_path / "sweep.toml").write_text(TOY + "[sweep.grid]\n'truth.n_points' = [3, 4]\n")
    status, output, error = run_with(tmp_path, "-m", "fastcollapse", "run", "toy.toml", "-o", "toy.h5")
    assert status == 0, error
    assert "mean of the pool" in output
    status, output, error = run_with(
        tmp_path, "-m", "fastcollapse", "sweep", "sweep.toml", "-o", "points", "--jobs", "2"
    )
    assert status == 0, error
    code = "import json, fastcollapse.models.registry as r; print(json.dumps([r.families(), r.registered()]))"
    families_there, registered_there = json.loads(run_with(tmp_path, "-c", code)[1])
    assert families_there == [*families(), "toy"]
    assert registered_there == []
    code = "from fastcollapse import models; print(models.toy.__name__, models.toy.model.MODEL.__name__)"
    assert run_with(tmp_path, "-c", code)[1].split() == ["toy_package.toy", "Toy"]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("toy_package.none", "cannot be imported: ModuleNotFoundError: No module named 'toy_package.none'"),
        ("toy_package", "cannot be imported: ModuleNotFoundError: No module named 'toy_package.model'"),
    ],
)
def test_entry_point__with_an_error_is_one_line(tmp_path, value, message):
    install(tmp_path, value=value)
    (tmp_path / "toy.toml").write_text(TOY)
    status, _, error = run_with(tmp_path, "-m", "fastcollapse", "run", "toy.toml", "-o", "toy.h5")
    assert (status, error.count("\n")) == (2, 1)
    assert f"family toy of the entry point {value!r} (fastcollapse.families) {message}" in error


def test_entry_point__with_an_error_hides_nothing_else(tmp_path):
    """Lists and hints read all families; a package that cannot be imported is left out, or named."""
    install(tmp_path, value="toy_package.none")
    status, output, _ = run_with(tmp_path, "-m", "fastcollapse", "keys")
    assert status == 0
    assert "gaussian" in output
    assert "No module named 'toy_package.none'" in " ".join(output.split())
    mistyped = ["-m", "fastcollapse", "run", "sur-gau", "--set", "model.bandwith=1", "-o", "a.h5"]
    error = run_with(tmp_path, *mistyped)[2]
    assert "model.bandwith is not a known key" in error
    code = "from fastcollapse import models; print('toy' in dir(models), hasattr(models, 'toy'))"
    assert run_with(tmp_path, "-c", code)[1].split() == ["True", "False"]


def test_entry_point__replaces_no_family_of_the_package(tmp_path):
    install(tmp_path, name="poisson")
    code = "from fastcollapse.models import families, family; print(len(families()), family('poisson').__name__)"
    assert run_with(tmp_path, "-c", code)[1].split() == [str(len(families())), "Poisson"]
