"""Command `precompile`: a line for each family, and one line where the code cannot be kept."""

import re

import pytest

from tests.cli._commands import call


def test_precompile__prints_a_line_for_each_family_and_the_folder():
    assert call("precompile", "poisson", "mixture").exit_code == 0
    result = call("precompile", "poisson", "mixture")
    already = r"all was compiled already, \d+\.\d s\n"
    assert re.fullmatch(rf"poisson: {already}mixture: {already}compiled code: .*/compiled\n", result.stdout)
    assert (result.exit_code, result.stderr) == (0, "")


def test_precompile__says_what_it_compiled(monkeypatch):
    def compile_two(name):
        from fastcollapse.kernels.compile_log import compile_log

        monkeypatch.setattr(compile_log, "n_compiled", compile_log.n_compiled + 2)

    monkeypatch.setattr("fastcollapse.simulation.precompile._run_all", compile_two)
    assert re.match(r"ridge: 2 kernels compiled, \d+\.\d s\n", call("precompile", "ridge").stdout)


def test_precompile__names_the_nearest_family():
    result = call("precompile", "gausian")
    assert (result.exit_code, result.stdout) == (2, "")
    assert re.fullmatch(
        r"error: family must be one of .*, got 'gausian' \(did you mean 'gaussian'\?\)\n", result.stderr
    )


@pytest.mark.parametrize("where", ["a file", "another user can write it"])
def test_precompile__where_code_cannot_be_kept_fails_in_one_line(tmp_path, monkeypatch, where):
    (tmp_path / "compiled").mkdir()
    (tmp_path / "compiled").chmod(0o777)
    (tmp_path / "file").touch()
    monkeypatch.setenv("FASTCOLLAPSE_CACHE", str(tmp_path if where != "a file" else tmp_path / "file"))
    result = call("precompile", "poisson")
    assert (result.exit_code, result.stdout) == (1, "")
    assert re.fullmatch(r"error: compiled code is not kept \(.*\); set FASTCOLLAPSE_CACHE\n", result.stderr)
