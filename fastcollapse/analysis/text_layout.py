"""Text in figures: its width, and lines that fit."""

import re
from functools import lru_cache
from typing import Any

# A word, or a formula between dollar signs with its spaces, and what it is equal to.
_WORD = re.compile(r"(?:\$[^$]*\$|\S)+(?: = (?:\$[^$]*\$|\S)+)?")


@lru_cache(maxsize=4096)
def text_inches(text: str, points: float, weight: str = "normal") -> float:
    """Return the width of a line of text, which may have formulas between dollar signs, in inches."""
    from matplotlib.cbook import is_math_text  # start-up time
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import text_to_path

    is_math, font = is_math_text(text), FontProperties(size=points, weight=weight)
    return float(text_to_path.get_text_width_height_descent(text, font, bool(is_math))[0] / 72)


def wrapped(text: str, inches: float, points: float, weight: str = "normal") -> str:
    """Return text in lines that are at most so wide, where its words allow it.

    Examples
    --------
    >>> wrapped("samples per generation $n$ = 10", 1.3, 9)
    'samples per\\ngeneration $n$ = 10'
    """
    return "\n".join(line for part in text.split("\n") for line in _lines(part, inches, points, weight))


def _lines(text: str, inches: float, points: float, weight: str) -> list[str]:
    lines: list[str] = []
    for word in _WORD.findall(text):
        longer = f"{lines[-1]} {word}" if lines else ""
        if longer and text_inches(longer, points, weight) <= inches:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines or [""]


def points_of(setting: str) -> float:
    """Return the points of a setting of matplotlib such as "legend.fontsize", which may be a word."""
    import matplotlib as mpl  # start-up time
    from matplotlib.font_manager import FontProperties

    settings: Any = mpl.rcParams
    return float(FontProperties(size=settings[setting]).get_size_in_points())
