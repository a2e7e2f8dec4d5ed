import gc
import sys

import pytest

from fastcollapse.config.nested_text import no_collection
from fastcollapse.config.toml_text import parse_toml
from fastcollapse.errors import InputError


class Finalised:
    """Garbage whose finaliser needs a few levels of calls and leaves new garbage."""

    again = True

    def __init__(self):
        self.itself = self

    def __del__(self):
        if self.again:
            Finalised()
        self.level(5)

    def level(self, n):
        return self.level(n - 1) if n else None


def test_no_collection__is_ended_after_errors():
    with pytest.raises(ZeroDivisionError), no_collection():
        _ = 1 / int(gc.isenabled())
    assert gc.isenabled()


def test_no_collection__leaves_collection_off():
    gc.disable()
    try:
        with no_collection():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_deep_text__finalises_no_garbage_at_the_limit_of_recursion(monkeypatch):
    unraisable = []
    monkeypatch.setattr(sys, "unraisablehook", unraisable.append)
    before = gc.get_threshold()
    gc.set_threshold(1)  # a collection with each new object
    try:
        Finalised()
        with pytest.raises(InputError, match="nested too deeply"):
            parse_toml(b"a = " + b"[" * 100_000)
    finally:
        gc.set_threshold(*before)
        Finalised.again = False
    assert unraisable == []
