"""Settings of Numba in the environment: refused in one line that names the variable."""

import os
import subprocess
import sys
from pathlib import Path

import llvmlite.binding
import pytest

ROOT = Path(__file__).parents[2]
WRONG = {
    "NUMBA_DISABLE_JIT=1": "NUMBA_DISABLE_JIT must be 0, got 1: kernels run only when they are compiled",
    "NUMBA_DISABLE_JIT=yes": "NUMBA_DISABLE_JIT must have a value that Numba can read, got 'yes'",
    "NUMBA_NUM_THREADS=0": "NUMBA_NUM_THREADS must be a whole number between 1 and 1024, got '0'",
    "NUMBA_NUM_THREADS=two": "NUMBA_NUM_THREADS must be a whole number between 1 and 1024, got 'two'",
    "NUMBA_NUM_THREADS=100000": "NUMBA_NUM_THREADS must be a whole number between 1 and 1024, got '100000'",
    "NUMBA_OPT=9": "NUMBA_OPT must have a value that Numba can read, got '9'",
    "NUMBA_CPU_NAME=abacus": "NUMBA_CPU_NAME must be the name of a processor that LLVM knows, got 'abacus'",
    "NUMBA_CPU_FEATURES=beads": (
        "NUMBA_CPU_FEATURES must be processor features such as +avx2,-fma that LLVM knows, got 'beads'"
    ),
    "NUMBA_CPU_FEATURES=+beads": (
        "NUMBA_CPU_FEATURES must be processor features such as +avx2,-fma that LLVM knows, got '+beads'"
    ),
    "NUMBA_THREADING_LAYER=loom": (
        "NUMBA_THREADING_LAYER must be a layer that is installed, got 'loom': "
        "The threading layer requested 'loom' is unknown to Numba."
    ),
    "NUMBA_THREADING_LAYER_PRIORITY=omp": (
        "NUMBA_THREADING_LAYER_PRIORITY must be a layer that is installed, got ['omp']: "
        "THREADING_LAYER_PRIORITY invalid: ['omp']. It must be a permutation of {'tbb', 'omp', 'workqueue'}"
    ),
}
SCRIPT = """
try:
    from fastcollapse.kernels.jit import set_threads
    set_threads(1)
except Exception as error:
    print(type(error).__name__, error, sep=": ")
"""


def run(**settings):
    return subprocess.run(
        [sys.executable, "-c", SCRIPT],
        env={**os.environ, "PYTHONPATH": str(ROOT), **settings},
        capture_output=True,
        text=True,
        check=True,
    )


@pytest.mark.parametrize("setting", WRONG)
def test_setting__that_cannot_be_used_is_refused(setting):
    name, _, value = setting.partition("=")
    got = run(**{name: value})
    assert (got.stdout, got.stderr) == (f"InputError: {WRONG[setting]}\n", "")


def test_threading_layer__that_is_missing_is_refused():
    try:
        import tbb  # noqa: F401
    except ImportError:
        got = run(NUMBA_THREADING_LAYER="tbb")
        expected = "InputError: NUMBA_THREADING_LAYER must be a layer that is installed, got 'tbb': No threading layer"
        assert got.stdout.startswith(expected)
        assert got.stderr == ""


def test_settings__that_can_be_used_are_kept():
    settings = {"NUMBA_NUM_THREADS": "3", "NUMBA_OPT": "max", "NUMBA_CPU_NAME": "generic", "NUMBA_CPU_FEATURES": ""}
    got = run(**settings, NUMBA_THREADING_LAYER="workqueue")
    assert (got.stdout, got.stderr) == ("", "")


FORK = """
import multiprocessing
from fastcollapse.kernels.jit import current_threads, set_threads

def work(n):
    set_threads(1)
    return current_threads()

if __name__ == "__main__":
    context = multiprocessing.get_context("fork")
    with context.Pool(1) as pool:
        print(pool.map(work, [1]))  # the parent has started no threads
    work(1)
    with context.Pool(1) as pool:
        try:
            print(pool.map(work, [1]))
        except Exception as error:
            print(type(error).__name__, error, sep=": ")
"""
REFUSED = (
    "FastcollapseError: parallel kernels cannot run in a process that was forked after its parent had run them: "
    "use processes of multiprocessing.get_context('spawn')"
)


@pytest.mark.parametrize(("layer", "expected"), [("omp", REFUSED), ("workqueue", "[1]")])
def test_forked_process__of_a_parent_with_threads_refuses_instead_of_dying(layer, expected):
    got = subprocess.run(
        [sys.executable, "-c", FORK],
        env={**os.environ, "PYTHONPATH": str(ROOT), "NUMBA_THREADING_LAYER": layer},
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    assert (got.stdout.splitlines(), got.stderr) == (["[1]", expected], "")


ASSEMBLY = """
from fastcollapse import Experiment, simulate
from fastcollapse.models.discrete.kernels import resample_block
simulate(Experiment.from_mapping({
    "truth": {"uniform": 100}, "workflow": {"name": "replace", "n_samples": 1000},
    "run": {"n_generations": 3, "n_replicates": 1, "seed": 1}}), threads=1)
text = "".join(resample_block.entry.inspect_asm().values())
print(text.count("zmm"), text.count("ymm"))
"""


@pytest.mark.slow
def test_features__without_avx512_leave_no_register_of_512_bits(tmp_path):
    """The benchmarks without AVX-512 measure code that has none."""
    host = llvmlite.binding.get_host_cpu_features()
    if not host.get("avx512f", False):
        pytest.skip("this processor has no AVX-512")
    features = subprocess.run(
        [sys.executable, "harness.py"], cwd=ROOT / "bench", capture_output=True, text=True, check=True
    ).stdout.strip()
    found = []
    for value in (features, ""):  # the second is the negative control
        environment = {"NUMBA_CPU_FEATURES": value, "FASTCOLLAPSE_CACHE": str(tmp_path / str(len(found)))}
        got = subprocess.run(
            [sys.executable, "-c", ASSEMBLY],
            env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
            capture_output=True,
            text=True,
            check=True,
        )
        found.append([int(count) for count in got.stdout.split()])
    assert found[0][0] == 0
    assert found[0][1] > 0
    assert found[1][0] > 0
