"""The damage is done for real: kills at random moments, full disks, flipped bits and cuts. Nothing kept is ever lost,
and no damage is taken for a number. The ordinary suite does a little of each; `make torture` does all of it.
"""

import itertools
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import xarray

from fastcollapse import FastcollapseError, open_results
from fastcollapse.results import check_results
from fastcollapse.storage.workplace import parts_folder
from tests.zygote import Zygote

ROOT = Path(__file__).parents[1]
RUN = """
[run]
n_generations = {n_generations}
n_replicates = 8
seed = 5
record = ["metrics", "trajectory"]
"""
STUDIES = {
    "discrete": """
[truth]
zipf_mandelbrot = {a = 1.0, b = 2.7, size = 800}
[workflow]
name = "accumulate"
n_samples = 900
keep_real = true
""",
    "gaussian": """
[model]
family = "gaussian"
estimator = "mle"
[workflow]
name = "replace"
n_samples = 40
""",
    "space": """
[model]
family = "gaussian"
estimator = "unbiased"
[truth]
dimension = 4
[workflow]
name = "accumulate_subsample"
n_samples = 30
n_train = 20
keep_real = false
replacement = false
""",
    "poisson": """
[model]
family = "poisson"
[truth]
rate = 9.0
[workflow]
name = "mix"
n_samples = 30
n_real = 5
real = "fixed"
""",
    "mixture": """
[model]
family = "mixture"
estimator = "approximate"
[truth]
mu = 2.0
sigma = 1.0
[workflow]
name = "replace"
n_samples = 50
""",
}
GENERATIONS = {"discrete": 600, "gaussian": 30_000, "space": 2500, "poisson": 20_000, "mixture": 4000}


@pytest.fixture(scope="module")
def zygote():
    one = Zygote()
    yield one
    one.close()


@pytest.fixture(scope="module")
def whole(zygote, tmp_path_factory):
    """Return a folder with the experiment and the uninterrupted run of a study, and the seconds it took."""
    made = {}

    def of(name):
        if name not in made:
            folder = tmp_path_factory.mktemp(name)
            (folder / "run.toml").write_text(STUDIES[name] + RUN.format(n_generations=GENERATIONS[name]))
            for again in ([], ["--overwrite"]):  # the first may compile
                answer = zygote(folder, "run", "run.toml", "-o", "whole.h5", *again)
                assert answer["status"] == 0, answer["stderr"]
            made[name] = folder, answer["seconds"]
        return made[name]

    return of


def arrays_of(path):
    """Return every array of a finished file, and its attributes but for what made it."""
    with xarray.open_dataset(path) as root:
        found = {name: (values.values.tobytes(), values.attrs) for name, values in root.variables.items()}
        attributes = {k: str(v) for k, v in root.attrs.items() if k != "provenance"}
    results = open_results(path)
    if results.has_trajectory:
        for place in itertools.product(range(results.n_replicates), range(1, results.last + 1)):
            found[place] = [one.tobytes() for one in results.counts(*place)]
    return found, attributes


def assert_prefix(got, expected):
    """What a killed run shows is the beginning of the whole one."""
    for what in ("metrics", "states"):
        for name, values in getattr(got, what).items():
            assert values.tobytes() == np.ascontiguousarray(getattr(expected, what)[name][:, : got.last + 1]).tobytes()
    if got.has_trajectory and got.last > 0:
        for one, other in zip(got.counts(0, got.last), expected.counts(0, got.last), strict=True):
            assert one.tobytes() == other.tobytes()


def one_line(answer, status):
    assert answer["status"] == status, answer
    assert re.fullmatch("error: [^\n]+\n", answer["stderr"]), answer["stderr"]
    return answer["stderr"]


@pytest.mark.parametrize(
    ("name", "n_trials", "parts"),
    [
        ("discrete", 2, True),
        ("gaussian", 1, True),
        *(pytest.param(name, 22, parts, marks=pytest.mark.slow) for name in STUDIES for parts in (True,)),
        pytest.param("discrete", 10, False, marks=pytest.mark.slow),
    ],
)
def test_kill__at_any_moment_loses_nothing_that_was_committed(zygote, whole, tmp_path, name, n_trials, parts):
    """Killed, gone on with and killed again up to three times, then run to its end: the bits of the whole run."""
    folder, seconds = whole(name)
    expected, expected_results = arrays_of(folder / "whole.h5"), open_results(folder / "whole.h5")
    rng = np.random.default_rng(len(name) + parts)
    n_kills = n_readable = 0
    for trial in range(n_trials):
        place = tmp_path / str(trial)
        place.mkdir()
        shutil.copy(folder / "run.toml", place)
        last, command = -1, ["run", "run.toml", "-o", "out.h5"]
        for _ in range(rng.integers(1, 4)):
            answer = zygote(place, *command, kill=float(rng.uniform(0.1, 1.2 * seconds)), parts=parts)
            assert answer["status"] in (0, -signal.SIGKILL), answer
            n_kills += answer["status"] != 0
            if not (place / "out.h5").exists() and not (place / "out.h5.parts" / "part-00000.h5").exists():
                assert last == -1
                continue
            got = open_results(place / "out.h5")
            assert_prefix(got, expected_results)
            assert got.last >= last
            n_readable, last = n_readable + 1, got.last
            assert check_results(place / "out.h5").last == got.last
            command = ["run", "--resume", "out.h5"]
        answer = zygote(place, *command, parts=parts)
        assert answer["status"] == 0, answer["stderr"]
        assert arrays_of(place / "out.h5") == expected
        assert not parts_folder(place / "out.h5").exists()
        shutil.rmtree(place)
    print(f"{name}: {n_trials} trials, {n_kills} kills, {n_readable} looks, nothing lost")
    assert n_kills > 0
