"""Versions and machine of a run, and their changes."""

from fastcollapse.simulation.provenance import changes, provenance


def test_changes__are_named_with_both_values():
    now = provenance()
    assert changes(now, now) == ()
    old = {**now, "python": "3.0", "packages": {**now["packages"], "numpy": "1.0"}}
    assert changes(old, now) == (f"numpy 1.0 became {now['packages']['numpy']}", f"python 3.0 became {now['python']}")


def test_changes__name_the_version_of_streams_that_made_older_files():
    now = provenance()
    old = {key: value for key, value in now.items() if key != "streams"}  # as in files of version 0.1
    assert changes(old, now) == (f"version of streams 1 became {now['streams']}",)
