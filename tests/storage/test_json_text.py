"""JSON of bounded depth."""

import json

import pytest

from fastcollapse.storage.json_text import MAX_DEPTH, parse_json


def test_parse__returns_value():
    value = {"a": [1, 2.5, None, True, "ü\U0001f600"], "b": {"c": {}}}
    assert parse_json(json.dumps(value)) == value
    assert parse_json(json.dumps(value, ensure_ascii=False).encode()) == value


@pytest.mark.parametrize("opening", ["[", '{"a":', '[{"a":['])
@pytest.mark.parametrize("depth", [MAX_DEPTH + 1, 900, 30_000])
def test_parse__refuses_depth(opening, depth):
    closing = "".join({"[": "]", "{": "}"}[c] for c in reversed(opening) if c in "[{")
    with pytest.raises(ValueError, match="is nested too deeply"):
        parse_json(opening * depth + "1" + closing * depth)


def test_parse__accepts_depth_below_limit():
    assert parse_json("[" * (MAX_DEPTH - 1) + "]" * (MAX_DEPTH - 1))


@pytest.mark.parametrize("text", ["", "{", "1" * 5000, b"\xff", r'"\ud800"', r'{"\udfff": 1}'])
def test_parse__refuses_other_text(text):
    with pytest.raises(ValueError):
        parse_json(text)
