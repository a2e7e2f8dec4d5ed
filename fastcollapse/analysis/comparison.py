"""Table of the points of a run beside theory: which have a score, which agree, and why others have none."""

import html
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from fastcollapse.analysis.agreement import (
    Z_LIMIT,
    Agreement,
    ComparedPoint,
    compared_points,
    plot_agreement,
    verdict,
)
from fastcollapse.analysis.panels.panel import GENERATION
from fastcollapse.analysis.panels.published import recipe_words
from fastcollapse.analysis.panels.text import capitalised, counted, table
from fastcollapse.analysis.tables import case_names
from fastcollapse.analysis.words import plain
from fastcollapse.errors import InputError, printable
from fastcollapse.simulation.optional_packages import extra
from fastcollapse.simulation.recorded_run import RecordedRun

if TYPE_CHECKING:
    import pandas

_COLUMNS = ("panel", "where", "mean", "standard_error", "theory", "lower", "upper", "z", "reason")
# The most rows that a notebook shows.
_MOST_ROWS = 60


@dataclass(frozen=True)
class Comparison:
    """Comparison of a run, or of several cases of a recipe, with theory.

    Parameters
    ----------
    plots : the points of each plot, also those that are not compared.
    title : the recipe with its source, or with what is changed in it; "" without a recipe.
    """

    plots: tuple[tuple[ComparedPoint, ...], ...]
    title: str = ""

    @cached_property
    def rows(self) -> tuple[ComparedPoint, ...]:
        """All points."""
        return tuple(point for plot in self.plots for point in plot)

    @cached_property
    def agreements(self) -> tuple[Agreement, ...]:
        """The agreement of each plot."""
        return tuple(plot_agreement(plot) for plot in self.plots)

    @property
    def n_scored(self) -> int:
        """Number of points with a score against an exact value."""
        return sum(row.is_scored for row in self.rows)

    @property
    def n_agreeing(self) -> int:
        """Number of points whose score is at most 5."""
        return sum(row.is_scored and not row.disagrees for row in self.rows)

    @property
    def n_unscored(self) -> int:
        """Number of points without a score; `reasons` says why."""
        return len(self.rows) - self.n_scored

    @property
    def reasons(self) -> Mapping[str, int]:
        """Why points have no score, each with the number of points."""
        return Counter(row.reason for row in self.rows if not row.is_scored)

    @property
    def disagrees(self) -> bool:
        """Whether a score, or the distance to a bound, is beyond 5."""
        return any(row.disagrees for row in self.rows)

    @property
    def agrees(self) -> bool | None:
        """Whether all scores agree with theory: False if any is beyond 5, None if no point has a score."""
        return False if self.disagrees else True if self.n_scored else None

    @property
    def largest(self) -> ComparedPoint | None:
        """The point of the largest |z|, None without a score."""
        return max((row for row in self.rows if row.is_scored), key=lambda row: abs(row.z), default=None)

    def verdict(self) -> str:
        """Return in one sentence which metrics were compared with exact theory, and whether they agree."""
        return verdict(self.agreements)

    def counts(self) -> str:
        """Return how many points have a score, how many agree, and why the others have none."""
        largest = self.largest
        scores = f"{counted(len(self.rows), 'point')}, {self.n_scored:,} scored"
        if largest is not None:
            scores += f", {self.n_agreeing:,} within |z| <= {Z_LIMIT:g}, largest |z| {abs(largest.z):.1f}"
        reasons = "; ".join(f"{reason} ({n:,})" for reason, n in self.reasons.items())
        return f"{scores}; not scored: {reasons}" if reasons else scores

    def to_dataframe(self) -> "pandas.DataFrame":
        """Return a table with a row for each point and the columns of `ComparedPoint`, and `generation`.

        `generation` is missing where the axis is another one.

        Raises
        ------
        InputError
            The package pandas is not installed.
        """
        with extra("pandas", "to_dataframe"):
            import pandas
        names = [field.name for field in fields(ComparedPoint)]
        frame = pandas.DataFrame([asdict(row) for row in self.rows], columns=names)
        generation = [row.place if row.axis == GENERATION.heading else None for row in self.rows]
        frame.insert(names.index("axis"), "generation", pandas.array(generation, dtype="Int64"))
        return frame

    def to_dict(self) -> dict[str, Any]:
        """Return the comparison as values for JSON; NaN is None, and infinities are the texts "inf" and "-inf"."""
        return {
            "title": self.title,
            "verdict": self.verdict(),
            "agrees": self.agrees,
            "z_limit": Z_LIMIT,
            "n_points": len(self.rows),
            "n_scored": self.n_scored,
            "n_agreeing": self.n_agreeing,
            "n_unscored": self.n_unscored,
            "reasons": dict(self.reasons),
            "points": [{key: _json_value(value) for key, value in asdict(row).items()} for row in self.rows],
        }

    def __str__(self) -> str:
        return f"{self.title}\n{self.text()}" if self.title else self.text()

    def text(self) -> str:
        """Return the verdict, a line for each metric, and the counts, without the title."""
        lines = "\n".join(f"  {agreement.line()}" for agreement in self.agreements)
        return f"{capitalised(self.verdict())}:\n{lines}\n  {self.counts()}"

    def _heading(self) -> list[str]:
        """Return what a notebook says first."""
        return [line for line in (self.title, self.verdict(), self.counts()) if line]

    def table(self) -> str:
        """Return all points as a table of text."""
        return table(_COLUMNS, [_cells(row) for row in self.rows])

    def __repr__(self) -> str:
        return f"<Comparison: {'; '.join(self._heading())}>"

    def _repr_html_(self) -> str:
        heading = "".join(f"<p>{html.escape(printable(line))}</p>" for line in self._heading())
        head = "".join(f"<th>{html.escape(name)}</th>" for name in _COLUMNS)
        rows = [
            "<tr>" + "".join(f"<td>{html.escape(printable(cell))}</td>" for cell in _cells(row)) + "</tr>"
            for row in self.rows[:_MOST_ROWS]
        ]
        more = len(self.rows) - len(rows)
        rest = f"<p>and {counted(more, 'point')} more, see rows</p>" if more else ""
        return f"{heading}<table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>{rest}"


def compare(results: RecordedRun | Sequence[RecordedRun]) -> Comparison:
    """Return the comparison of a run, or of the cases of a recipe, with theory.

    Raises
    ------
    InputError
        A run has no finished generation.
    """
    cases = [results] if isinstance(results, RecordedRun) else list(results)
    if not cases:
        raise InputError("a comparison must have at least one run, got none")
    for case in cases:
        if case.last < 1:
            where = f" in {case.path}" if case.path else ""
            raise InputError(f"a comparison must have at least one finished generation, got none{where}")
    named, words = zip(cases, map(plain, case_names(cases)), strict=True), recipe_words(cases)
    plots = tuple(
        tuple(replace(point, case=name) for point in plot) for case, name in named for plot in compared_points(case)
    )
    return Comparison(plots, "" if words is None else words.heading)


def _cells(row: ComparedPoint) -> list[str]:
    """Return a point as cells of a table, in the order of _COLUMNS."""
    panel = f"{row.panel} [{row.case}]" if row.case else row.panel
    numbers = (row.mean, row.standard_error, row.theory, row.lower, row.upper)
    shown = ["-" if math.isnan(value) else f"{value:.6g}" for value in numbers]
    return [panel, row.where, *shown, "-" if math.isnan(row.z) else f"{row.z:+.1f}", row.reason]


def _json_value(value: Any) -> Any:
    if not isinstance(value, float) or math.isfinite(value):
        return value
    return None if math.isnan(value) else str(value)
