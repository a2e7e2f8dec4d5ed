"""Files of a family as attributes of its package."""

import subprocess
import sys

import pytest

from fastcollapse.models.lazy_files import lazy_files


def test_lazy_files__are_imported_at_their_first_use():
    get = lazy_files("fastcollapse.models.ridge")
    assert get("metrics").METRICS
    with pytest.raises(AttributeError, match=r"no attribute 'metric' \(did you mean 'metrics'\?\)"):
        get("metric")


def test_lazy_files__do_not_depend_on_earlier_imports():
    code = "import fastcollapse as f, fastcollapse.models.ridge.parameters\nprint(len(f.models.ridge.metrics.METRICS))"
    got = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(got.stdout) > 0
