"""Stop conditions: comparisons of metrics with numbers or metrics, joined by `and` and `or`.

Only the syntax tree of the text is used: nothing is executed. NumPy is not imported, for a fast start.
"""

from __future__ import annotations

import ast
import dataclasses
import math
import operator
import warnings
from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import TYPE_CHECKING, Any, ClassVar

from fastcollapse.config.fields import ValidationErrors, show

if TYPE_CHECKING:
    import numpy as np

_COMPARISONS: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}
# Longer texts may nest more deeply than Python can read.
_MAX_LENGTH = 1000
_ALLOWED = "comparisons of metrics and numbers joined by 'and' and 'or', such as 'support_size == 1'"


@dataclasses.dataclass(frozen=True)
class StopCondition:
    """A condition on the metrics of one replicate at one generation.

    Parameters
    ----------
    text : the condition in its normal form.

    Raises
    ------
    ValidationErrors
        The text is no condition.

    Examples
    --------
    >>> StopCondition("support_size==1 or entropy<1e-1").text
    'support_size == 1 or entropy < 0.1'
    """

    text: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "text", ast.unparse(self._tree()))

    def _tree(self) -> ast.expr:
        """Return the checked syntax tree."""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of the compiler, such as for "is" with a number
                tree = ast.parse(self.text.strip(), mode="eval").body
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            raise ValidationErrors([("", f"must be {_ALLOWED}, got {show(self.text)}")]) from None
        _check(tree, self.text)
        return tree

    @property
    def names(self) -> tuple[str, ...]:
        """Names of its metrics, in alphabetical order."""
        return tuple(sorted({node.id for node in ast.walk(self._tree()) if isinstance(node, ast.Name)}))

    def met(self, metrics: Mapping[str, np.ndarray]) -> np.ndarray:
        """Return where the condition is met; a metric that is NaN is in no order and equal to nothing.

        Parameters
        ----------
        metrics : name -> float64, arrays of one shape.

        Returns
        -------
        ndarray
            bool, of the same shape.
        """
        found: np.ndarray = _evaluated(self._tree(), metrics)
        return found


def _check(node: ast.expr, text: str) -> None:
    """Refuse a syntax tree with anything but comparisons."""
    if isinstance(node, ast.BoolOp):
        for value in node.values:
            _check(value, text)
        return
    if isinstance(node, ast.Compare) and all(type(one) in _COMPARISONS for one in node.ops):
        terms = [node.left, *node.comparators]
        if all(_is_term(one) for one in terms):
            for left, right in pairwise(terms):
                if not isinstance(left, ast.Name) and not isinstance(right, ast.Name):
                    raise ValidationErrors([("", f"must compare a metric, got two numbers in {show(text)}")])
            return
    raise ValidationErrors([("", f"must be {_ALLOWED}, got {show(text)}")])


def _is_term(node: ast.expr) -> bool:
    """Whether a part of a comparison is a name or a number."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        node = node.operand
    elif isinstance(node, ast.Name):
        return True
    is_number = isinstance(node, ast.Constant) and type(node.value) in (int, float)
    return is_number and abs(node.value) <= 1e300 and math.isfinite(node.value)  # type: ignore[attr-defined]


def _evaluated(node: ast.expr, metrics: Mapping[str, np.ndarray]) -> Any:
    if isinstance(node, ast.BoolOp):
        values = [_evaluated(value, metrics) for value in node.values]
        joined = values[0]
        for value in values[1:]:
            joined = joined & value if isinstance(node.op, ast.And) else joined | value
        return joined
    if isinstance(node, ast.Compare):
        terms = [_evaluated(one, metrics) for one in (node.left, *node.comparators)]
        found = True
        for comparison, left, right in zip(node.ops, terms[:-1], terms[1:], strict=True):
            is_unordered = (left != left) | (right != right)
            found = found & _COMPARISONS[type(comparison)](left, right) & ~is_unordered
        return found
    if isinstance(node, ast.Name):
        return metrics[node.id]
    if isinstance(node, ast.UnaryOp):
        return -_evaluated(node.operand, metrics)
    assert isinstance(node, ast.Constant)
    return float(node.value)  # type: ignore[arg-type]


@dataclasses.dataclass(frozen=True)
class StopField:
    """Accept the text of a condition and return its normal form."""

    text: ClassVar[str] = "comparisons of metrics joined by and, or"

    def __call__(self, value: object) -> str:
        """Return the checked value."""
        if not isinstance(value, str) or not 0 < len(value) <= _MAX_LENGTH:
            raise ValidationErrors([("", f"must be {_ALLOWED}, at most {_MAX_LENGTH:,} characters, got {show(value)}")])
        return StopCondition(value).text
