"""Real damage: kills at random moments, full disks, flipped bits and truncation.

No committed generation is lost, and damage is never read as a number. The ordinary suite makes a few trials; `make
torture` makes all of them.
"""

import itertools
import os
import re
import shutil
import signal
import subprocess
import sys
import tomllib
from pathlib import Path

import h5py
import numpy as np
import pytest
import xarray

from fastcollapse import open_results
from fastcollapse.models.registry import families
from fastcollapse.simulation.recorded_run import check_run
from fastcollapse.storage.checksums import read_checksums
from fastcollapse.storage.part_files import parts_folder
from tests._fork_server import ForkServer
from tests.naive import kernel_ridge, ngram

ROOT = Path(__file__).parents[2]
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
    "ridge": """
[model]
family = "ridge"
designs = "dependent"
ridge = 0.2
sigma = 0.5
sigma0 = 0.8
downstream = {n_samples = [9, 20], ridge = [0.0, 0.3]}
[truth]
dimension = 3
beta = 1.0
[workflow]
name = "accumulate"
n_samples = 12
keep_real = true
""",
    "kernel_ridge": """
[model]
family = "kernel_ridge"
kernel = "rbf"
scale = 0.5
ridge = 0.05
sigma = 0.5
sigma0 = 0.8
[truth]
images = "inputs.npy"
labels = "labels.csv"
n_test = 8
[workflow]
name = "accumulate_subsample"
n_samples = 12
n_train = 12
keep_real = true
replacement = false
""",
    "estimator": """
[model]
family = "estimator"
factory = "fastcollapse.models.estimator.examples:Normal"
[truth]
normal_mixture = {weights = [0.5, 0.5], means = [-2.0, 2.0], covariances = [1.0, 1.0]}
[workflow]
name = "accumulate"
n_samples = 20
keep_real = true
window = 3
""",
    "mixed labels of kernels": """
[model]
family = "kernel_ridge"
kernel = "rbf"
scale = 0.5
ridge = 0.05
sigma = 0.5
designs = "dependent"
mixed_labels = {weight = [0.2, 0.6], ridge = [0.05, 0.3]}
[truth]
images = "inputs.npy"
labels = "labels.csv"
n_test = 8
[workflow]
name = "replace"
n_samples = 12
""",
    "sums of kernels": """
[model]
family = "kernel_ridge"
kernel = "rbf"
scale = 0.5
ridge = 0.05
sigma = 0.5
start = "previous"
mixed_labels = {weight = [0.2, 0.6], ridge = [0.05, 0.3]}
[truth]
images = "inputs.npy"
labels = "labels.csv"
n_test = 8
[workflow]
name = "replace"
n_samples = 12
""",
    "kde": """
[model]
family = "kde"
bandwidth = 0.2
[truth]
shape = "blobs"
n_test = 40
[workflow]
name = "mix"
n_samples = 20
n_real = 5
real = "fixed"
""",
    "ngram": """
[model]
family = "ngram"
order = 2
[truth]
text = "toy.txt"
[workflow]
name = "accumulate"
n_samples = 30
keep_real = true
""",
    "glm": """
[model]
family = "glm"
response = "logistic"
[truth]
rows = 20
dimension = 2
[workflow]
name = "mix"
n_samples = 40
n_real = 20
real = "fixed"
""",
    "stable_mean": """
[model]
family = "stable_mean"
[truth]
alpha = 1.5
[workflow]
name = "accumulate"
n_samples = 30
keep_real = true
""",
    "uniform_maximum": """
[model]
family = "uniform_maximum"
[workflow]
name = "accumulate"
n_samples = 30
keep_real = true
""",
    "exponential_mean": """
[model]
family = "exponential_mean"
[truth]
mean = 2.0
[workflow]
name = "accumulate"
n_samples = 30
keep_real = true
""",
    "hidden_interval": """
[model]
family = "hidden_interval"
[workflow]
name = "accumulate"
n_samples = 30
keep_real = true
""",
    "uniform_levels": """
[model]
family = "uniform_levels"
[workflow]
name = "accumulate"
n_samples = 30
keep_real = true
""",
}
GENERATIONS = {
    "discrete": 600,
    "gaussian": 30_000,
    "space": 2500,
    "poisson": 20_000,
    "mixture": 4000,
    "ridge": 500,
    "kernel_ridge": 150,
    "estimator": 1500,
    "mixed labels of kernels": 500,
    "sums of kernels": 150,
    "kde": 2500,
    "ngram": 1000,
    "glm": 5000,
    "stable_mean": 20_000,
    "uniform_maximum": 20_000,
    "exponential_mean": 20_000,
    "hidden_interval": 10_000,
    "uniform_levels": 20_000,
}


@pytest.fixture(scope="module")
def fork_server():
    one = ForkServer()
    yield one
    one.close()


@pytest.fixture(scope="module")
def reference_run(fork_server, tmp_path_factory):
    """Return a function: name of a study -> (folder with its experiment and uninterrupted run, seconds of that run)."""
    finished = {}

    def of(name, n_generations=None):
        n_generations = n_generations or GENERATIONS[name]
        if (name, n_generations) not in finished:
            folder = tmp_path_factory.mktemp(name)
            for twin in (kernel_ridge, ngram):
                twin.write_tables(folder)
            (folder / "run.toml").write_text(STUDIES[name] + RUN.format(n_generations=n_generations))
            for again in ([], ["--overwrite"]):  # the first run may compile
                answer = fork_server(folder, "run", "run.toml", "-o", "whole.h5", *again)
                assert answer["status"] == 0, answer["stderr"]
            finished[name, n_generations] = folder, answer["seconds"]
        return finished[name, n_generations]

    return of


def arrays_of(path):
    """Return every array of a finished file, and its attributes except the provenance."""
    with xarray.open_dataset(path) as root:
        found = {name: (values.values.tobytes(), values.attrs) for name, values in root.variables.items()}
        attributes = {k: str(v) for k, v in root.attrs.items() if k != "provenance"}
    results = open_results(path)
    if results.has_trajectory:
        for place in itertools.product(range(results.n_replicates), range(1, results.last + 1)):
            found[place] = [one.tobytes() for one in results.counts(*place)]
    return found, attributes


def assert_prefix(got, expected):
    """Assert that a killed run shows the beginning of the uninterrupted run."""
    for what in ("metrics", "states"):
        for name, values in getattr(got, what).items():
            assert values.tobytes() == np.ascontiguousarray(getattr(expected, what)[name][:, : got.last + 1]).tobytes()
    if got.has_trajectory and got.last > 0:
        for one, other in zip(got.counts(0, got.last), expected.counts(0, got.last), strict=True):
            assert one.tobytes() == other.tobytes()


def test_studies__cover_every_family():
    models = [tomllib.loads(text).get("model", {"family": "discrete"}) for text in STUDIES.values()]
    assert {model["family"] for model in models} == {*families()}


def error_line(answer, status):
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
def test_kill__at_any_moment_keeps_committed_generations(fork_server, reference_run, tmp_path, name, n_trials, parts):
    """A run that is killed and resumed up to three times is bit-identical to an uninterrupted run."""
    folder, seconds = reference_run(name)
    expected, expected_results = arrays_of(folder / "whole.h5"), open_results(folder / "whole.h5")
    rng = np.random.default_rng(len(name) + parts)
    n_kills = n_readable = 0
    for trial in range(n_trials):
        place = tmp_path / str(trial)
        place.mkdir()
        shutil.copytree(folder, place, ignore=shutil.ignore_patterns("*.h5"), dirs_exist_ok=True)
        last, command = -1, ["run", "run.toml", "-o", "out.h5"]
        for _ in range(rng.integers(1, 4)):
            # The first kill strikes a run for certain, however fast or busy the machine is.
            kill = float(rng.uniform(0.1, 1.2 * seconds)) if n_kills else "commit"
            answer = fork_server(place, *command, kill=kill, parts=parts)
            assert answer["status"] in (0, -signal.SIGKILL), answer
            n_kills += answer["status"] != 0
            if not (place / "out.h5").exists() and not (place / "out.h5.parts" / "part-00000.h5").exists():
                assert last == -1
                continue
            got = open_results(place / "out.h5")
            assert_prefix(got, expected_results)
            assert got.last >= last
            n_readable, last = n_readable + 1, got.last
            assert check_run(place / "out.h5").last == got.last
            # A results file imports no code: the experiment file names the estimator again.
            command = ["run", *(["run.toml"] if name == "estimator" else []), "--resume", "out.h5"]
        answer = fork_server(place, *command, parts=parts)
        assert answer["status"] == 0, answer["stderr"]
        assert arrays_of(place / "out.h5") == expected
        assert not parts_folder(place / "out.h5").exists()
        shutil.rmtree(place)
    print(f"{name}: {n_trials} trials, {n_kills} kills, {n_readable} looks, nothing lost")
    assert n_kills > 0


# The files that a full disk may stop.
PART, FINAL = r"out\.h5\.parts/part-\d{5}\.h5", r"out\.h5"
# A separate file system: $1 its size, $2 the pending bytes that make a part.
FULL_DISK = """
set -e
mkdir disk
mount -t tmpfs -o size=$1 tmpfs "$PWD/disk"
cp run.toml disk
cd disk
run() { "$PYTHON" -c '
import sys
from fastcollapse.simulation import execute as simulation
from fastcollapse.cli import main as cli
simulation.PART_BYTES = int(sys.argv[1])
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


@pytest.mark.parametrize(("room", "part", "where"), [("3m", 300_000, PART), ("10m", 2_000_000, FINAL)])
def test_full_disk__keeps_committed_generations_and_resumes(reference_run, tmp_path, room, part, where):
    """The disk fills up during the parts, or during the final file."""
    if subprocess.run(["unshare", "-rm", "sh", "-c", "mount -t tmpfs tmpfs /mnt"], capture_output=True).returncode:
        pytest.skip("mounting needs a user namespace")
    folder, _ = reference_run("discrete")
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
    kept = r"out\.h5\.parts keeps generations 0 to ([\d,]+); to resume: fastcollapse run --resume out\.h5"
    reason = r"cannot be written: No space left on device \([\d,]+ bytes\)"
    (last,) = re.fullmatch(rf"error: {where}: {reason}; {kept}\n", error).groups()
    assert f"not finished, {last} generations x 8 replicates" in (tmp_path / "check").read_text()
    assert all(re.fullmatch(r"part-\d{5}\.h5", name) for name in (tmp_path / "left").read_text().split())
    assert arrays_of(tmp_path / "out.h5") == arrays_of(folder / "whole.h5")


@pytest.mark.parametrize("where", [PART, FINAL])
def test_full_disk__includes_file_size_limit(fork_server, reference_run, tmp_path, where):
    """RLIMIT_FSIZE limits the size of every file, like a quota or FAT."""
    folder, _ = reference_run("discrete")
    # The size of a part depends on its last block, which is longer on a faster machine; the final file is the largest.
    largest = 400_000 if where == PART else (folder / "whole.h5").stat().st_size * 9 // 10
    shutil.copy(folder / "run.toml", tmp_path)
    answer = fork_server(tmp_path, "run", "run.toml", "-o", "out.h5", parts=where == FINAL, largest=largest)
    reason = r"cannot be written: File too large \([\d,]+ bytes\)"
    assert re.search(rf"error: {where}: {reason}", error_line(answer, 1))
    if where == FINAL:
        assert check_run(tmp_path / "out.h5").last == GENERATIONS["discrete"]
        answer = fork_server(tmp_path, "run", "--resume", "out.h5")
    else:  # no commit was possible, so no file is left
        assert [one.name for one in tmp_path.iterdir()] == ["run.toml"]
        answer = fork_server(tmp_path, "run", "run.toml", "-o", "out.h5")
    assert answer["status"] == 0, answer
    assert arrays_of(tmp_path / "out.h5") == arrays_of(folder / "whole.h5")


def commands(place):
    """Yield the command lines that read a file, each with a new output path."""
    yield ["info", "bad.h5"]
    yield ["check", "bad.h5"]
    yield ["plot", "bad.h5", "-o", f"{place}.png"]
    yield ["compare", "bad.h5"]
    yield ["replay", "bad.h5"]
    yield ["run", "--resume", "bad.h5"]


@pytest.fixture(scope="module")
def small_run(fork_server, tmp_path_factory):
    """A folder with a small finished run and the parts of an interrupted run."""
    folder = tmp_path_factory.mktemp("small")
    (folder / "run.toml").write_text(STUDIES["discrete"] + RUN.format(n_generations=8))
    assert fork_server(folder, "run", "run.toml", "-o", "good.h5")["status"] == 0
    # The parts fit on the disk, the final file does not; its times may have fewer digits than those of the first run.
    largest = (folder / "good.h5").stat().st_size - 200
    answer = fork_server(folder, "run", "run.toml", "-o", "full.h5", parts=True, largest=largest)
    assert answer["status"] == 1, answer
    assert open_results(folder / "full.h5").last > 1
    return folder


def assert_refused(fork_server, place, everything):
    """Assert that every command that reads the damaged bytes refuses the file in one line."""
    for words in commands(place):
        answer = fork_server(place, *words)
        assert answer["status"] in (0, 1, 2), (words, answer)  # neither a crash nor a traceback
        assert "Traceback" not in answer["stderr"], (words, answer)
        if everything or words[0] == "check":
            error_line(answer, 2)
            assert answer["stdout"] == ""


@pytest.mark.parametrize("n_trials", [4, pytest.param(100, marks=pytest.mark.slow)])
@pytest.mark.parametrize("what", ["flipped bits", "a cut", "noise", "zeros"])
def test_damage__of_finished_file_is_detected_without_crash(fork_server, small_run, tmp_path, what, n_trials):
    raw = (small_run / "good.h5").read_bytes()
    end = read_checksums(small_run / "good.h5").end
    extents = read_checksums(small_run / "good.h5").data
    header = [at for at in range(len(raw)) if at >= end or not any(low <= at < low + n for low, n, _ in extents)]
    rng = np.random.default_rng(sum(map(ord, what)))
    for trial in range(n_trials):
        place = tmp_path / str(trial)
        place.mkdir()
        damaged = bytearray(raw)
        at = int(rng.choice(header)) if trial % 2 else int(rng.integers(len(raw)))
        if what == "flipped bits":
            damaged[at] ^= 1 << int(rng.integers(8))
        elif what == "a cut":
            damaged = damaged[:at]
        else:
            n = min(int(rng.integers(1, 5000)), len(raw) - at)
            damaged[at : at + n] = rng.bytes(n) if what == "noise" else bytes(n)
        if damaged == raw:
            continue
        (place / "bad.h5").write_bytes(damaged)
        # Truncation exactly before the table of checksums removes no data: only `check` refuses it.
        assert_refused(fork_server, place, (what == "a cut" and at != end) or (trial % 2 and what == "flipped bits"))
        assert (place / "bad.h5").read_bytes() == damaged
        shutil.rmtree(place)


@pytest.mark.parametrize("n_trials", [4, pytest.param(100, marks=pytest.mark.slow)])
def test_damage__of_part_is_detected_before_resume(fork_server, small_run, tmp_path, n_trials):
    rng = np.random.default_rng(3)
    for trial in range(n_trials):
        place = tmp_path / str(trial)
        place.mkdir()
        shutil.copytree(small_run / "full.h5.parts", place / "bad.h5.parts")
        parts = sorted((place / "bad.h5.parts").iterdir())
        part = parts[int(rng.integers(len(parts)))]
        raw = bytearray(part.read_bytes())
        at = int(rng.integers(len(raw)))
        if trial % 3:
            raw[at] ^= 1 << int(rng.integers(8))
        else:
            raw = raw[:at]
        part.write_bytes(raw)
        for words in (["check", "bad.h5"], ["run", "--resume", "bad.h5"]):
            answer = fork_server(place, *words)
            assert part.name in error_line(answer, 2), answer
        assert part.read_bytes() == raw
        assert sorted((place / "bad.h5.parts").iterdir()) == parts
        shutil.rmtree(place)


def foreign_files(raw):
    """Yield name and bytes of files that are no results files, or that have wrong headers."""
    yield "empty", b""
    yield "text", b"word,count\na,1\n" * 99
    yield "png", b"\x89PNG\r\n\x1a\n" + bytes(999)
    yield "signature", raw[:8] + bytes(4000)
    yield "noise", raw[:8] + np.random.default_rng(1).bytes(4000)


def edited(path, edit):
    """Change a file with h5py, which removes its checksums."""
    with h5py.File(path, "r+") as file:
        edit(file)


def larger_than_the_disk(file):
    file.create_dataset("lie", shape=(10**9, 10**6), chunks=(1000, 1000), dtype="f8")


def of_strings(file):
    file.attrs["experiment_text"] = np.full(1000, "x" * 60, "S60")


EDITS = {
    "newer": (lambda file: file.attrs.modify("format_version", np.int64(3)), "has format version 3, this .* up to 2"),
    "other program": (lambda file: file.attrs.modify("format", "other"), "is not a fastcollapse file"),
    "no experiment": (lambda file: file.attrs.pop("experiment"), "experiment is missing"),
    "other experiment": (lambda file: file.attrs.modify("experiment", "{}"), "digest is not that of its experiment"),
    "no data": (lambda file: file.pop("generation"), "generation is missing"),
    "lie": (larger_than_the_disk, "lie should have 8,000,000,000,000,000 bytes and has fewer"),
    "strings": (of_strings, "experiment_text must be text"),
}


def test_foreign_files__are_refused_in_one_line(fork_server, small_run, tmp_path):
    for name, raw in foreign_files((small_run / "good.h5").read_bytes()):
        place = tmp_path / name
        place.mkdir()
        (place / "bad.h5").write_bytes(raw)
        assert_refused(fork_server, place, True)


@pytest.mark.parametrize("name", EDITS)
def test_edited_files__are_refused_in_one_line_without_much_memory(fork_server, small_run, tmp_path, name):
    edit, words = EDITS[name]
    shutil.copy(small_run / "good.h5", tmp_path / "bad.h5")
    edited(tmp_path / "bad.h5", edit)
    for arguments in commands(tmp_path):
        answer = fork_server(tmp_path, *arguments)
        assert re.search(f"bad.h5: .*{words}", error_line(answer, 2)), answer
        assert answer["peak"] < 500 << 20


def test_reader__sees_complete_generations_during_run(fork_server, reference_run, tmp_path):
    """The readers are other processes than the writer, which waits for a look after each of its first commits."""
    folder, _ = reference_run("gaussian", 3000)
    expected = open_results(folder / "whole.h5")
    shutil.copy(folder / "run.toml", tmp_path)
    n_looks = 6
    code = (
        "import sys; from fastcollapse import simulate; from fastcollapse.simulation import block_loop\n"
        "from fastcollapse.storage.hdf5_store import Hdf5Store\n"
        "Hdf5Store.__init__.__defaults__ = (1, 0.0); block_loop.BLOCK_SECONDS = 0.003; commit = Hdf5Store.commit\n"
        "def waits(*some, **more):\n"
        "    commit(*some, **more)\n"
        "    print('committed', flush=True)\n"
        "    sys.stdin.readline()\n"
        "Hdf5Store.commit = waits\n"
        "simulate('run.toml', 'out.h5')"
    )
    writer = subprocess.Popen(
        [sys.executable, "-c", code], cwd=tmp_path,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip

    def look(last):
        got = open_results(tmp_path / "out.h5")
        assert_prefix(got, expected)
        assert got.to_xarray().sizes["generation"] == got.last + 1
        assert got.last >= last
        return got.last

    seen = [-1]
    for _ in range(n_looks):
        assert writer.stdout.readline() == "committed\n"
        # The part of a commit may still be on its way to the disk; the next commit waits for it.
        if len(seen) > 1 or (tmp_path / "out.h5.parts" / "part-00000.h5").exists():
            seen.append(look(seen[-1]))
        writer.stdin.write("\n")
        writer.stdin.flush()
    writer.stdin.close()
    while writer.poll() is None:
        seen.append(look(seen[-1]))
        # What a full pipe holds up would never end.
        os.read(writer.stdout.fileno(), 1 << 16)
    assert writer.returncode == 0
    assert len({*seen}) > 4
    with xarray.open_dataset(tmp_path / "out.h5") as dataset:
        xarray.testing.assert_identical(dataset, open_results(tmp_path / "out.h5").to_xarray())
    assert arrays_of(tmp_path / "out.h5") == arrays_of(folder / "whole.h5")
