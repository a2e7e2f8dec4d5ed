"""Cache of compiled code: its digest covers every source that a kernel uses."""

import pytest

from fastcollapse.kernels import jit

SOURCES = {
    "kernels/jit.py": "import os\n",
    "kernels/streams.py": "from fastcollapse.kernels.jit import kernel\n",
    "kernels/callee.py": "from fastcollapse.kernels.streams import x\n",
    "kernels/caller.py": "import math\nfrom fastcollapse.kernels.callee import x\n",
    "kernels/other.py": "from fastcollapse.kernels.streams import x\n",
}


@pytest.fixture
def package(tmp_path, monkeypatch):
    (tmp_path / "fastcollapse" / "kernels").mkdir(parents=True)
    for name, text in SOURCES.items():
        (tmp_path / "fastcollapse" / name).write_text(text)
    monkeypatch.setattr(jit, "_ROOT", tmp_path)
    return tmp_path / "fastcollapse"


def digests(package):
    jit._sources.cache_clear()
    jit.source_digest.cache_clear()
    return {name: jit.source_digest(package / name) for name in SOURCES}


@pytest.mark.parametrize(
    ("edited", "expected"),
    [
        ("kernels/callee.py", {"kernels/callee.py", "kernels/caller.py"}),
        ("kernels/other.py", {"kernels/other.py"}),
        ("kernels/streams.py", set(SOURCES) - {"kernels/jit.py"}),
        ("kernels/jit.py", set(SOURCES)),
    ],
)
def test_source_digest__follows_imports(package, edited, expected):
    before = digests(package)
    with open(package / edited, "a") as file:
        file.write("# edited\n")
    after = digests(package)
    assert {name for name in SOURCES if before[name] != after[name]} == expected


def test_cache__of_kernel_is_in_folder_of_its_digest():
    from pathlib import Path

    from fastcollapse.kernels.counts import count_corrections as tokens

    if jit.CACHE_ROOT is None:
        pytest.skip("compiled code is not kept here")
    expected = jit.CACHE_ROOT / jit.source_digest(Path(tokens.__file__))
    assert Path(tokens.total_of.entry._cache.cache_path).is_relative_to(expected)
