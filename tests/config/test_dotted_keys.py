"""Dotted keys of nested tables."""

from fastcollapse.config.dotted_keys import flat, overlap


def test_flat__keeps_the_order_and_lists_and_drops_empty_tables():
    got = flat({"b": {"y": [1, {"z": 2}], "x": {}}, "a": None})
    assert list(got.items()) == [("b.y", [1, {"z": 2}]), ("a", None)]


def test_overlap__compares_whole_parts():
    assert overlap("truth.zipf_mandelbrot", "truth.zipf_mandelbrot.a")
    assert overlap("run.seed", "run.seed")
    assert not overlap("model.scale", "model.scaled")
