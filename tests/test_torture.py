"""The damage is done for real: kills at random moments, full disks, flipped bits and cuts. Nothing kept is ever lost,
and no damage is taken for a number. The ordinary suite does a little of each; `make torture` does all of it.
"""

import itertools
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import xarray

from fastcollapse import open_results
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


# A file system of its own: $1 its size, $2 the bytes pending that make a part.
FULL_DISK = """
set -e
mkdir disk
mount -t tmpfs -o size=$1 tmpfs "$PWD/disk"
cp run.toml disk
cd disk
run() { "$PYTHON" -c '
import sys
from fastcollapse import cli
from fastcollapse.storage.store import Hdf5Store
Hdf5Store.__init__.__defaults__ = (int(sys.argv[1]), 1e9)
cli.main(sys.argv[2:], prog_name="fastcollapse")' "$@"; }
status=0
run $2 run run.toml -o out.h5 2> ../error || status=$?
echo $status > ../status
run 1 check out.h5 > ../check
ls out.h5.parts > ../left
mount -o remount,size=200m "$PWD"
run $2 run --resume out.h5 > ../resumed
cp out.h5 ..
"""


@pytest.mark.parametrize(("room", "part", "where"), [("3m", 300_000, "part-"), ("10m", 2_000_000, "final")])
def test_full_disk__keeps_what_was_committed_and_goes_on_once_there_is_room(whole, tmp_path, room, part, where):
    """While parts are written, and while everything is collected."""
    if subprocess.run(["unshare", "-rm", "sh", "-c", "mount -t tmpfs tmpfs /mnt"], capture_output=True).returncode:
        pytest.skip("mounting needs a user namespace")
    folder, _ = whole("discrete")
    shutil.copy(folder / "run.toml", tmp_path)
    done = subprocess.run(
        ["unshare", "-rm", "sh", "-c", FULL_DISK, "sh", room, str(part)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHON": sys.executable},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "status").read_text() == "1\n"
    error = (tmp_path / "error").read_text()
    kept = r"out\.h5\.parts keeps generations 0 to ([\d,]+): fastcollapse run --resume out\.h5 goes on"
    reason = r"cannot be written: No space left on device \([\d,]+ bytes\)"
    (last,) = re.fullmatch(rf"error: out\.h5\.parts/{where}\S*tmp: {reason}; {kept}\n", error).groups()
    assert f"not finished, {last} generations x 8 replicates" in (tmp_path / "check").read_text()
    assert all(re.fullmatch(r"part-\d{5}\.h5", name) for name in (tmp_path / "left").read_text().split())
    assert arrays_of(tmp_path / "out.h5") == arrays_of(folder / "whole.h5")


@pytest.mark.parametrize(("largest", "where"), [(400_000, "part-"), (3_000_000, "final")])
def test_full_disk__a_limit_of_the_size_of_a_file_is_one(zygote, whole, tmp_path, largest, where):
    """No file may be larger: RLIMIT_FSIZE, as a quota or FAT has it."""
    folder, _ = whole("discrete")
    shutil.copy(folder / "run.toml", tmp_path)
    answer = zygote(tmp_path, "run", "run.toml", "-o", "out.h5", parts=where == "final", largest=largest)
    reason = r"cannot be written: File too large \([\d,]+ bytes\)"
    assert re.search(rf"out\.h5\.parts/{where}\S*: {reason}", one_line(answer, 1))
    if where == "final":
        assert check_results(tmp_path / "out.h5").last == GENERATIONS["discrete"]
        answer = zygote(tmp_path, "run", "--resume", "out.h5")
    else:  # nothing could be committed, so nothing is left
        assert [one.name for one in tmp_path.iterdir()] == ["run.toml"]
        answer = zygote(tmp_path, "run", "run.toml", "-o", "out.h5")
    assert answer["status"] == 0, answer
    assert arrays_of(tmp_path / "out.h5") == arrays_of(folder / "whole.h5")
