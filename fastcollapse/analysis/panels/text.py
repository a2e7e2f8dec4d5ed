"""Text of tables: columns, numbers with their noun, and labels without mathtext."""

import itertools
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

# Mathtext -> plain text, in this order; what is left of a command is its name.
_PLAIN = (
    (r"\\[,;:! ]|\\(?:left|right)\b", ""),
    (r"\\(?:mathrm|mathbb|operatorname|text)\{([^{}]*)\}", r"\1 "),
    (r"\\(?:bar|hat|tilde)\s*\{?(\\?\w+)\}?", r"\1"),
    (r"\\sqrt\{([^{}]*)\}", r"sqrt(\1)"),
    (r"\\cdot|\\times", " x "),
    (r"\\infty\b", "infinity"),
    (r" ?\\parallel\b ?", " || "),
    (r"\\int\b", "integral of "),
    (r"\\ll\b", "<<"),
    (r"\\varphi\b", "phi"),
    (r"\\leq?\b", "<="),
    (r"\\geq?\b", ">="),
    (r"\\epsilon\b|\\varepsilon\b", "eps"),
    (r"\\ell\b", "l"),
    (r"\\(?:Vert|\|) ?", "|"),
    (r"\\([A-Za-z]+) ?", r"\1 "),
    (r"[{}]", ""),
)


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table with right-aligned columns, two spaces apart.

    Examples
    --------
    >>> print(table(["k", "value"], [["1", "0.5"], ["10", "0.25"]]))
       k  value
       1    0.5
      10   0.25
    """
    lines = [header, *rows]
    widths = [max(len(line[i]) for line in lines) for i in range(len(header))]
    return "\n".join(
        "  " + "  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True)) for line in lines
    )


def counted(n: int, noun: str) -> str:
    """Return a number with its noun.

    Examples
    --------
    >>> counted(1, "replicate"), counted(2000, "replicate")
    ('1 replicate', '2,000 replicates')
    """
    return f"{n:,} {noun}{'' if n == 1 else 's'}"


def capitalised(text: str) -> str:
    """Return a text, which is not empty, with a capital first letter; the others stay as they are.

    Examples
    --------
    >>> capitalised("the law of |z|")
    'The law of |z|'
    """
    return f"{text[0].upper()}{text[1:]}"


def short(value: object) -> str:
    """Return a value as JSON of at most 40 letters; a longer list has its repeated entries together.

    Examples
    --------
    >>> short([0.5, 0.5]), short(True), short([0.0] * 20 + [0.5] * 30)
    ('[0.5, 0.5]', 'true', '[20 x 0.0, 30 x 0.5]')
    """
    text = json.dumps(value)
    if len(text) > 40 and isinstance(value, list | tuple):
        runs = [(json.dumps(entry), len(list(same))) for entry, same in itertools.groupby(value)]
        text = f"[{', '.join(f'{n} x {entry}' if n > 1 else entry for entry, n in runs)}]"
    return text if len(text) <= 40 else text[:37] + "..."


def settings_text(settings: Mapping[str, Any]) -> str:
    """Return values by dotted key in words: the last part of each key, and tables as their keys and values.

    Examples
    --------
    >>> settings_text({"truth.zipf_mandelbrot": {"a": 1.0, "size": 1000}, "workflow.name": "replace"})
    'zipf_mandelbrot a = 1, size = 1000, replace'
    """
    return ", ".join(_setting_text(key, value) for key, value in settings.items())


def _setting_text(key: str, value: Any) -> str:
    """Return one value with its key in words; a name stands alone."""
    name = key.rpartition(".")[2]
    if isinstance(value, Mapping):
        return f"{name} {settings_text(value)}"
    if name == "name":
        return str(value)
    shown = f"{value:g}" if isinstance(value, float) else value if isinstance(value, str) else short(value)
    return f"{name} = {shown}"


def plain(text: str) -> str:
    r"""Return a text with mathtext between dollar signs as plain text.

    Examples
    --------
    >>> plain("$n$ = 10"), plain(r"variance $\mathrm{tr}\,\Sigma_t/\mathrm{tr}\,\Sigma_0$")
    ('n = 10', 'variance tr Sigma_t/tr Sigma_0')
    """
    parts = re.split(r"(?<!\\)\$", text)
    if len(parts) % 2 == 0:  # one dollar sign alone is no mathtext
        return text
    return "".join(_plain_math(part) if i % 2 else part.replace(r"\$", "$") for i, part in enumerate(parts))


def _plain_math(text: str) -> str:
    for pattern, words in _PLAIN:
        text = re.sub(pattern, words, text)
    text = re.sub(r" +(?=[_^()\]|,])", "", text)
    return re.sub(r" +", " ", text).strip()
