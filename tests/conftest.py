"""Makes `tests.naive` and `tests.laws` importable, fixes what Hypothesis does, and writes the tables of the twins."""

import importlib
import sys
from pathlib import Path

import pytest
from hypothesis import settings

from fastcollapse.models.base import families

sys.path.insert(0, str(Path(__file__).parents[1]))

# No deadline: the first example compiles. The same examples every time: a failure is a change of the code.
settings.register_profile("fastcollapse", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("fastcollapse")


@pytest.fixture(scope="session")
def tables(tmp_path_factory):
    """A folder with the data files that truths name."""
    folder = tmp_path_factory.mktemp("tables")
    for family in families():
        twin = importlib.import_module(f"tests.naive.{family}")
        if hasattr(twin, "write_tables"):
            twin.write_tables(folder)
    return folder
