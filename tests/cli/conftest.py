"""A finished run and a folder with its experiment."""

import pytest

from tests.cli._commands import TOML, call


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    (folder / "small.toml").write_text(TOML)
    result = call("run", folder / "small.toml", "-o", folder / "small.h5")
    assert result.exit_code == 0, result.output
    return folder, result


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "small.toml").write_text(TOML)
    return tmp_path
