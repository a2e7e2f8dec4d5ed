r"""Words and symbols for the keys and values of an experiment, as a figure shows them.

Symbols are mathtext between dollar signs; `plain` turns such a text into one for tables, files and terminals.
"""

import json
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

from fastcollapse.analysis.panels.published import RecipeWords
from fastcollapse.analysis.panels.text import plain as plain
from fastcollapse.analysis.word_table import VALUES, WORDS
from fastcollapse.sweeps.axes import SweptParameter

# The most changes of a recipe whose values are named.
_MOST_CHANGES = 3


def words_of(key: str) -> tuple[str, str]:
    """Return the words and the symbol of a dotted key; a key without an entry is its last part in words.

    Examples
    --------
    >>> words_of("workflow.n_samples"), words_of("model.parameters.tree_depth")
    (('samples per generation', 'n'), ('tree depth', ''))
    """
    return WORDS.get(key, (key.rpartition(".")[2].replace("_", " "), ""))


def axis_label(key: str) -> str:
    """Return the label of an axis of values of a key.

    Examples
    --------
    >>> axis_label("workflow.n_samples"), axis_label("workflow.name")
    ('samples per generation $n$', 'workflow')
    """
    words, symbol = words_of(key)
    return f"{words} ${symbol}$" if symbol else words


def setting(key: str, value: Any) -> str:
    """Return a value of a key in words, with the symbol of the key or its words.

    Examples
    --------
    >>> setting("workflow.n_samples", 1000), setting("workflow.name", "accumulate_subsample"), setting("model.order", 3)
    ('$n$ = 1,000', 'accumulate-subsample', 'order 3')
    """
    if isinstance(value, Mapping):
        return _table_words(key, value)
    words = value_words(key, value)
    return words if key in VALUES and isinstance(value, str | bool) else _named(key, words)


def settings(values: Mapping[str, Any]) -> str:
    """Return values by dotted key in words.

    Examples
    --------
    >>> settings({"truth.zipf_mandelbrot": {"a": 1.0, "size": 1000}, "workflow.name": "replace"})
    '$a$ = 1, $K$ = 1,000, replace'
    """
    return ", ".join(setting(key, value) for key, value in values.items())


def value_words(key: str, value: Any) -> str:
    """Return a value of a key in words, without the key.

    Examples
    --------
    >>> value_words("workflow.real_share", [0.0, 0.0, 0.5]), value_words("model.bandwidth", "scott")
    ('0 for 2 generations, then 0.5', "Scott's rule")
    """
    if isinstance(value, Mapping):
        return _entries(key, value)
    if isinstance(value, list | tuple):
        if key.startswith("workflow.") and len(value) > 1:
            return _over_generations(value)
        return f"({', '.join(map(_text, value))})"
    known = VALUES.get(key, {})
    return known[value] if isinstance(value, str | bool) and value in known else _text(value)


def parameter_values(parameter: SweptParameter, with_key: bool = False) -> list[str]:
    """Return the values of a swept parameter in words; of tables those entries that differ.

    Parameters
    ----------
    with_key : whether with the symbol of the key or its words, as the name of a curve.
    """
    if parameter.is_number:
        return [_named(parameter.key, text) if with_key else text for text in parameter.texts]
    values = [_from_text(text) for text in parameter.values.tolist()]
    show = setting if with_key else value_words
    names = [show(parameter.key, value) for value in _reduced(values)]
    return names if len(set(names)) == len(names) else [show(parameter.key, value) for value in values]


def case_words(cases: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the names of the cases of a recipe in words.

    A setting that all cases share, or that follows from another one, is left out.

    Examples
    --------
    >>> case_words([{"model.order": 2, "run.seed": 1}, {"model.order": 3, "run.seed": 2}])
    ['order 2', 'order 3']
    """
    columns: dict[str, list[str]] = {}
    for key in dict.fromkeys(key for case in cases for key in case):
        column = [json.dumps(case.get(key)) for case in cases]
        if len(set(column)) > 1 and not any(_follows(column, other) for other in columns.values()):
            columns[key] = column
    names = [settings({key: case[key] for key in columns if key in case}) for case in cases]
    return names if len(set(names)) == len(cases) > 1 else [settings(case) for case in cases]


def _follows(column: Sequence[str], other: Sequence[str]) -> bool:
    """Whether equal entries of another column always have equal entries in this one."""
    return len(set(zip(other, column, strict=True))) == len(set(other))


def group_words(case: Mapping[str, Any], overlay: str) -> str:
    """Return a case without the overlaid key, in words: a workflow is its name without its parameters."""
    if "workflow.name" in case and overlay != "workflow.name":
        return setting("workflow.name", case["workflow.name"])
    along = "workflow." if overlay == "workflow.name" else overlay
    return settings({key: value for key, value in case.items() if not key.startswith(along)})


def overlaid_words(cases: Sequence[Mapping[str, Any]], overlay: str) -> list[str]:
    """Return the names of the curves of one plot: the overlaid key, or what workflows of one name differ in."""
    names = [case.get(overlay) for case in cases]
    if overlay != "workflow.name" or len(set(names)) == len(names):
        return [setting(overlay, name) for name in names]
    return [settings({key: value for key, value in case.items() if key.startswith("workflow.")}) for case in cases]


def source_words(words: RecipeWords) -> str:
    """Return the source of runs of a recipe as a figure has it: what differs from the recipe is in words."""
    if not words.changes:
        return words.source
    after = words.source.partition("changed: ")[0]
    changes = dict.fromkeys(
        f"{setting(one.key, one.value)} ({one.origin} {value_words(one.key, one.recipe)})" for one in words.changes
    )
    if len(changes) > _MOST_CHANGES:
        changes = dict.fromkeys(words_of(one.key)[0] for one in words.changes)
    return f"{after}changed: {', '.join(changes)}"


def escaped(text: str) -> str:
    """Return a text of the user without mathtext: its dollar signs are those of the text."""
    return text.replace("$", r"\$")


def _named(key: str, text: str) -> str:
    """Return a value in words behind the symbol of its key, or its words."""
    words, symbol = words_of(key)
    return f"${symbol}$ = {text}" if symbol else f"{words} {text}"


def _table_words(key: str, table: Mapping[str, Any]) -> str:
    """Return a table in words; a section needs no words of its own."""
    entries = _entries(key, table)
    return f"{words_of(key)[0]} {entries}" if "." in key and f"{key}.{next(iter(table), '')}" not in WORDS else entries


def _entries(key: str, table: Mapping[str, Any]) -> str:
    return settings({f"{key}.{name}": value for name, value in table.items()})


def _reduced(values: Sequence[Any]) -> list[Any]:
    """Return values with tables reduced to the name that distinguishes them, or to the entries that differ."""
    tables = [value for value in values if isinstance(value, Mapping)]
    keys = dict.fromkeys(key for table in tables for key in table)
    differ = {key: len({json.dumps(table.get(key)) for table in tables}) for key in keys}
    named = [key for key in ("name", "family") if differ.get(key) == len(tables)]
    varied = named[:1] or [key for key in keys if differ[key] > 1] or list(keys)
    return [
        {key: value[key] for key in varied if key in value} if isinstance(value, Mapping) else value for value in values
    ]


def _from_text(text: str) -> Any:
    """Return a value from its text in a sweep, see `value_labels`."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def _over_generations(values: Sequence[Any]) -> str:
    """Return values of generations in words, equal neighbours together."""
    runs = [(_text(value), len(list(same))) for value, same in groupby(values)]
    *first, (last, _) = runs
    return ", then ".join([*(f"{value} for {n} generation{'' if n == 1 else 's'}" for value, n in first), last])


def _text(value: Any) -> str:
    """Return a number, a name or another value as text."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.0f}" if value.is_integer() and abs(value) < 1e6 else f"{value:g}"
    if isinstance(value, str):
        return escaped(value if "/" in value or "." in value else value.replace("_", " "))
    return escaped(json.dumps(value))
