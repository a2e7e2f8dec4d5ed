"""Cache of compiled code: damaged files heal, a cache that cannot be written is no error, and its folder is private."""

import errno
import gc
import importlib.util
import os
import resource
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

import pytest

from fastcollapse.kernels import code_cache, jit

ROOT = Path(__file__).parents[2]
SOURCE = """
def twice(x):
    return 2 * x


def thrice(x):
    return 3 * x
"""


@pytest.fixture
def functions(tmp_path, monkeypatch):
    """Return functions whose compiled code is kept in the folder `cache`."""
    path = tmp_path / "functions.py"
    path.write_text(SOURCE)
    spec = importlib.util.spec_from_file_location("functions", path)
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "functions", module)
    spec.loader.exec_module(module)
    (tmp_path / "cache").mkdir(mode=0o700)
    monkeypatch.setattr(jit, "CACHE_ROOT", tmp_path / "cache")
    return module


def call(function):
    """Call a newly decorated function; return whether its compiled code was found."""
    compiled = jit.kernel(function)
    assert compiled(21) == function(21)
    return bool(compiled.entry.stats.cache_hits)


def files(folder):
    return [path for path in (folder / "cache").rglob("*") if path.is_file()]


def flip(path, at):
    data = bytearray(path.read_bytes())
    data[at] ^= 4
    path.write_bytes(data)


def put_folder(path):
    path.unlink()
    (path / "within").mkdir(parents=True)


def put_file_for_folder(path):
    path.unlink()
    path.parent.rmdir()
    path.parent.write_text("a file")


def put_hidden(path):
    if os.geteuid() == 0:
        pytest.skip("root reads every file")
    path.chmod(0)


DAMAGES = {
    "empty": lambda path: path.write_bytes(b""),
    "one byte": lambda path: path.write_bytes(path.read_bytes()[:1]),
    "half": lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]),
    "longer": lambda path: path.write_bytes(path.read_bytes() + b"x"),
    "garbage": lambda path: path.write_bytes(bytes(range(256)) * 40),
    "bit of the checksum": lambda path: flip(path, 5),
    "bit of the pickle": lambda path: flip(path, 40),
    "bit of the code": lambda path: flip(path, path.stat().st_size // 2),
    "last bit": lambda path: flip(path, -1),
    "folder": put_folder,
    "file for its folder": put_file_for_folder,
    "not readable": put_hidden,
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_file__is_compiled_again_with_one_warning(functions, tmp_path, damage):
    assert not call(functions.twice)
    assert call(functions.twice)
    (path,) = files(tmp_path)
    DAMAGES[damage](path)
    with pytest.warns(RuntimeWarning) as found:
        assert not call(functions.twice)
    reasons = {
        "folder": "IsADirectoryError: Is a directory",
        "file for its folder": "NotADirectoryError: Not a directory",
        "not readable": "PermissionError: Permission denied",
    }
    reason = reasons.get(damage, "ValueError: its checksum is another")
    assert [str(one.message) for one in found] == [
        f"compiled code in {tmp_path / 'cache'} was damaged and is compiled again ({reason})"
    ]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert call(functions.twice)
    assert files(tmp_path) == [path]


CALLER = """
from fastcollapse.kernels.jit import kernel


@kernel
def twice(x):
    return 2 * x


@kernel
def four_times(x):
    return twice(twice(x))
"""
CALL = """
import sys, warnings
from pathlib import Path

sys.path.insert(0, sys.argv[1])
import caller

warnings.showwarning = lambda message, *_, **__: print(message)
try:
    caller.twice(21)
    print(caller.four_times(21), len(caller.four_times.entry.stats.cache_hits))
except RuntimeWarning as warning:
    print("raised", warning)
"""


@pytest.mark.parametrize("filter_", ["default", "error"])
def test_damaged_files__of_several_functions_are_one_warning_and_heal(tmp_path, filter_):
    (tmp_path / "caller.py").write_text(CALLER)

    def run(filter_):
        return subprocess.run(
            [sys.executable, "-W", f"{filter_}::RuntimeWarning", "-c", CALL, str(tmp_path)],
            env={**os.environ, "PYTHONPATH": str(ROOT), "FASTCOLLAPSE_CACHE": str(tmp_path / "cache")},
            capture_output=True,
            text=True,
            check=True,
        ).stdout

    assert run("default") == "84 0\n"
    message = f"compiled code in {tmp_path / 'cache' / 'compiled'} was damaged and is compiled again"
    message += " (ValueError: its checksum is another)\n"
    for path in files(tmp_path):
        path.write_bytes(b"")
    # An error in place of the warning ends the process at the first damaged function, and then at the next.
    expected = {
        "default": [message + "84 0\n", "84 1\n", "84 1\n"],
        "error": ["raised " + message, "raised " + message, "84 0\n"],
    }
    assert [run(filter_) for _ in range(3)] == expected[filter_]


def test_code__is_found_after_its_first_process_has_forgotten_it(functions, tmp_path):
    """Numba remembers the globals of compiled code until they are collected, and then imports the module."""
    assert not call(functions.twice)
    gc.collect()
    assert call(functions.twice)


def test_code__of_a_module_that_cannot_be_imported_is_not_kept(functions, tmp_path, monkeypatch):
    monkeypatch.delitem(sys.modules, "functions")
    for _ in range(2):
        assert not call(functions.twice)
        gc.collect()
    assert files(tmp_path) == []


@pytest.mark.parametrize("error", [MemoryError(), OSError(errno.EMFILE, "Too many open files")])
def test_file__that_a_process_cannot_read_for_lack_of_something_is_not_damaged(functions, tmp_path, monkeypatch, error):
    def fails(*_):
        raise error

    call(functions.twice)
    before = [path.read_bytes() for path in files(tmp_path)]
    with monkeypatch.context() as context, warnings.catch_warnings():
        warnings.simplefilter("error")
        context.setattr(code_cache, "_is_trusted", fails)
        assert not call(functions.twice)
    assert len(before) == len(files(tmp_path)) == 1
    assert call(functions.twice)


def test_file__of_another_function_is_not_taken(functions, tmp_path):
    call(functions.twice)
    (twice,) = files(tmp_path)
    call(functions.thrice)
    (thrice,) = set(files(tmp_path)) - {twice}
    thrice.write_bytes(twice.read_bytes())
    with pytest.warns(RuntimeWarning, match="was damaged"):
        assert not call(functions.thrice)


def test_file__of_another_user_is_not_taken(functions, tmp_path, monkeypatch):
    call(functions.twice)
    (path,) = files(tmp_path)
    give_away(path, monkeypatch)
    with pytest.warns(RuntimeWarning, match=r"was damaged .* \(PermissionError: it belongs to another user\)"):
        assert not call(functions.twice)


def give_away(path, monkeypatch):
    """Let a path belong to another user than the process."""
    if os.geteuid() == 0:
        os.chown(path, 12345, -1)
    else:
        monkeypatch.setattr(os, "geteuid", lambda: 12345)


def test_file__depends_on_settings_of_the_compiler(functions, tmp_path, monkeypatch):
    call(functions.twice)
    monkeypatch.setattr(jit.numba.config, "BOUNDSCHECK", 1)
    assert not call(functions.twice)
    assert len(files(tmp_path)) == 2


def test_full_disk__is_one_warning_and_leaves_nothing(functions, tmp_path):
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, before[1]))
    try:
        with pytest.warns(RuntimeWarning, match=r"compiled code is not kept \(.*/cache: File too large\); set FAST"):
            assert not call(functions.twice)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert files(tmp_path) == []


def test_read_only_folder__is_read(functions, monkeypatch):
    call(functions.twice)

    def refuse(*_, **__):
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(tempfile, "mkstemp", refuse)
    assert call(functions.twice)
    with pytest.warns(RuntimeWarning, match="is not kept .*Read-only file system"):
        assert not call(functions.thrice)


def test_function__without_a_file_is_compiled_and_not_kept(functions, tmp_path):
    names = {}
    exec(compile(SOURCE, "<notebook>", "exec"), names)
    assert not call(names["twice"])
    assert files(tmp_path) == []


def test_flush__removes_the_files_of_one_function(functions, tmp_path):
    call(functions.thrice)
    before = files(tmp_path)
    compiled = jit.kernel(functions.twice)
    compiled(1)
    compiled(1.5)
    assert len(files(tmp_path)) == 3
    compiled.entry._cache.flush()
    assert files(tmp_path) == before


SCRIPT = """
import sys
from fastcollapse.kernels import jit
sys.path.insert(0, sys.argv[1])
import functions
print(jit.kernel(functions.twice)(21), jit.CACHE_ROOT)
"""


def test_processes__share_a_new_folder(functions, tmp_path):
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "FASTCOLLAPSE_CACHE": str(tmp_path / "new")}
    processes = [
        subprocess.Popen(
            [sys.executable, "-W", "error::RuntimeWarning", "-c", SCRIPT, str(tmp_path)],
            env=environment,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        for _ in range(2)
    ]
    for process in processes:
        assert process.communicate() == (f"42 {tmp_path}/new/compiled\n", "")
    (path,) = [path for path in (tmp_path / "new").rglob("*") if path.is_file()]
    assert path.stat().st_mode & 0o77 == 0


def test_folder__is_private(tmp_path, monkeypatch):
    monkeypatch.setenv("FASTCOLLAPSE_CACHE", str(tmp_path / "new" / "one"))
    before = os.umask(0)
    try:
        folder = code_cache.private_folder()
    finally:
        os.umask(before)
    assert folder == tmp_path / "new" / "one" / "compiled"
    assert folder.stat().st_mode & 0o777 == 0o700
    assert code_cache.private_folder() == folder
    for mode in (0o770, 0o702):
        folder.chmod(mode)
        code_cache._warned.clear()  # it warns once
        with pytest.warns(RuntimeWarning, match=r"is not kept \(.*compiled: other users can write it\)"):
            assert code_cache.private_folder() is None
    folder.chmod(0o700)
    give_away(folder, monkeypatch)
    with pytest.warns(RuntimeWarning, match=r"is not kept \(.*compiled: it belongs to another user\)"):
        assert code_cache.private_folder() is None


def test_folder__is_that_of_the_user_for_caches(tmp_path, monkeypatch):
    monkeypatch.delenv("FASTCOLLAPSE_CACHE", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for given, parent in ((str(tmp_path / "caches"), "caches"), ("relative", "home/.cache"), ("", "home/.cache")):
        monkeypatch.setenv("XDG_CACHE_HOME", given)
        assert code_cache.private_folder() == tmp_path / parent / "fastcollapse" / "compiled"
    monkeypatch.setenv("FASTCOLLAPSE_CACHE", str(tmp_path / "own"))
    assert code_cache.private_folder() == tmp_path / "own" / "compiled"


def test_folder__that_cannot_be_made_is_one_warning(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("FASTCOLLAPSE_CACHE", str(tmp_path / "file"))
    with pytest.warns(RuntimeWarning, match=r"is not kept \(.*/file: File exists\); set FASTCOLLAPSE_CACHE"):
        assert code_cache.private_folder() is None
