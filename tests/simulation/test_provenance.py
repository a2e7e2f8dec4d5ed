"""Versions and machine of a run, and their changes."""

from fastcollapse.simulation.provenance import changes, provenance


def test_changes__are_named_with_both_values():
    now = provenance()
    assert changes(now, now) == ()
    old = {**now, "python": "3.0", "packages": {**now["packages"], "numpy": "1.0"}}
    assert changes(old, now) == (f"numpy 1.0 became {now['packages']['numpy']}", f"python 3.0 became {now['python']}")
