"""Import path of the tests, the Hypothesis profile, and data files of the naive twins."""

import importlib
import os
import signal
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from threadpoolctl import threadpool_limits

from fastcollapse.kernels import compile_log
from fastcollapse.models.registry import families

sys.path.insert(0, str(Path(__file__).parents[1]))

# Child processes inherit signals that are ignored, which nohup and shells set; tests of signals would wait for ever.
signal.signal(signal.SIGHUP, signal.SIG_DFL)
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
# A line about long compilations depends on the speed of the machine; tests of it set their own patience.
compile_log._PATIENCE = 1e6
# Dask gives up a connection after 30 s, which a busy machine needs.
for name in ("CONNECT", "TCP"):
    os.environ[f"DASK_DISTRIBUTED__COMM__TIMEOUTS__{name}"] = "600s"
# No deadline and no check of the speed of examples: the first example compiles, and a machine may be busy.
# Derandomised: a new failure is caused by a change of the code.
settings.register_profile(
    "fastcollapse", deadline=None, derandomize=True, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("fastcollapse")


def write_tables(folder):
    """Write the data files named by the truths of the naive twins."""
    for family in families():
        twin = importlib.import_module(f"tests.naive.{family}")
        if hasattr(twin, "write_tables"):
            twin.write_tables(folder)


@pytest.fixture(scope="session")
def tables(tmp_path_factory):
    """A folder with the data files of the truths."""
    folder = tmp_path_factory.mktemp("tables")
    write_tables(folder)
    return folder


@pytest.fixture(scope="module")
def one_blas_thread():
    """Limit BLAS to one thread, as `simulate` does for kernels that call it."""
    with threadpool_limits(1, "blas"):
        yield
