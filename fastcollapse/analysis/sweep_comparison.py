"""Comparison of a sweep with theory: a line for each point, the worst first."""

import html
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fastcollapse.analysis.agreement import Z_LIMIT, agreement_of
from fastcollapse.analysis.panels.text import capitalised, counted, table
from fastcollapse.analysis.sweep_panels import sweep_words
from fastcollapse.errors import InputError
from fastcollapse.simulation.optional_packages import extra
from fastcollapse.simulation.recorded_run import RecordedRun
from fastcollapse.sweeps.axes import named_axes
from fastcollapse.sweeps.collect import collect_sweep
from fastcollapse.sweeps.collected_results import CollectedSweep
from fastcollapse.sweeps.folder import SweepFolder
from fastcollapse.sweeps.panel_scores import PanelScore

if TYPE_CHECKING:
    import pandas

# The most points of a comparison in its text, and the most numbers of points in a sentence.
_MOST_LINES, _MOST_NAMED = 20, 5
_COLUMNS = ("scores", "disagreeing", "largest |z|", "in", "within bounds", "not scored")


@dataclass(frozen=True)
class PointComparison:
    """Comparison of one point with its theory.

    Parameters
    ----------
    point : number of the point, from 0.
    values : name of a swept parameter -> its value; tables as text.
    panels : the scores of each panel.
    """

    point: int
    values: Mapping[str, Any]
    panels: tuple[PanelScore, ...]

    @property
    def n_scored(self) -> int:
        """Number of places that are compared with exact theory."""
        return sum(panel.n_scored for panel in self.panels)

    @property
    def n_disagreeing(self) -> int:
        """Number of places that disagree with exact theory or with bounds."""
        return sum(panel.n_disagreeing for panel in self.panels)

    @property
    def n_bounded(self) -> int:
        """Number of places that are compared with bounds alone."""
        return sum(panel.n_bounded for panel in self.panels)

    @property
    def n_within(self) -> int:
        """Number of these that are within the bounds."""
        return sum(panel.n_within for panel in self.panels)

    @property
    def n_unscored(self) -> int:
        """Number of places that are compared neither with exact theory nor with bounds."""
        return sum(panel.n_unscored for panel in self.panels)

    @property
    def largest_z(self) -> float:
        """The largest |z| against exact theory; NaN without a score."""
        return self._worst.largest_z if self._worst is not None else math.nan

    @property
    def place(self) -> str:
        """Panel and place of the largest |z|; "" without a score."""
        return f"{self._worst.panel}, {self._worst.place}" if self._worst is not None else ""

    @property
    def _worst(self) -> PanelScore | None:
        scored = [panel for panel in self.panels if panel.n_scored and math.isfinite(panel.largest_z)]
        return max(scored, key=lambda panel: panel.largest_z, default=None)

    @property
    def reason(self) -> str:
        """Why not every place has a score; "" if all have one."""
        return "; ".join(
            dict.fromkeys(f"{p.panel}: {p.reason}" if p.panel else p.reason for p in self.panels if p.reason)
        )


@dataclass(frozen=True, eq=False, repr=False)
class SweepComparison:
    """Comparison of the finished points of a sweep with their theory.

    `str` has a line for each of the worst points; `to_dataframe` and `rows` have all of them.

    Parameters
    ----------
    path : folder of the sweep, or its collected file.
    recipe : title and source of its recipe, with what differs from them; "" without one.
    n_points : number of points of the sweep, finished or not.
    rows : the finished points, the worst first: those that disagree, then by the largest |z|.
    """

    path: Path
    recipe: str
    n_points: int
    rows: tuple[PointComparison, ...]

    @property
    def n_scored(self) -> int:
        """Number of places that are compared with exact theory, in all points."""
        return sum(row.n_scored for row in self.rows)

    @property
    def n_unscored(self) -> int:
        """Number of places that are compared neither with exact theory nor with bounds, in all points."""
        return sum(row.n_unscored for row in self.rows)

    @property
    def disagreeing(self) -> tuple[int, ...]:
        """Numbers of the points that disagree with theory, the worst first."""
        return tuple(row.point for row in self.rows if row.n_disagreeing)

    @property
    def disagrees(self) -> bool:
        """Whether a point disagrees with theory."""
        return bool(self.disagreeing)

    @property
    def agrees(self) -> bool | None:
        """Whether all scores agree with theory: False if any is beyond 5, None if no point has a score."""
        return False if self.disagrees else True if self.n_scored else None

    @property
    def largest(self) -> PointComparison | None:
        """The point with the largest |z| against exact theory; None without a score."""
        scored = [row for row in self.rows if row.n_scored]
        return max(scored, key=lambda row: row.largest_z, default=None)

    @property
    def reasons(self) -> dict[str, tuple[int, str]]:
        """Panel -> number of points in which a place of it has no score, and the reason in the first of them."""
        found: dict[str, list[str]] = {}
        for row in sorted(self.rows, key=lambda row: row.point):
            for panel in row.panels:
                if panel.reason:
                    found.setdefault(panel.panel, []).append(f"in point {row.point}: {panel.reason}")
        return {name: (len(reasons), reasons[0]) for name, reasons in found.items()}

    def reason_lines(self) -> list[str]:
        """Return a line for each panel that has places without a score: in how many points, and why."""
        return [
            f"{f'{name}: ' if name else ''}no score, or not everywhere, in {counted(n, 'point')}; {reason}"
            for name, (n, reason) in self.reasons.items()
        ]

    def verdict(self) -> str:
        """Return in one sentence how many points were compared, and whether they agree."""
        n_compared = sum(row.n_scored > 0 for row in self.rows)
        n_done = counted(len(self.rows), "finished point")
        head = f"{n_compared} of {n_done} compared with exact theory"
        if self.disagreeing:
            named = ", ".join(map(str, self.disagreeing[:_MOST_NAMED]))
            more = ", ..." if len(self.disagreeing) > _MOST_NAMED else ""
            n = counted(len(self.disagreeing), "point")
            head = f"the simulation disagrees with theory (|z| > {Z_LIMIT:g}) in {n}: {named}{more}; {head}"
        elif n_compared:
            head = f"the simulation agrees with exact theory in {n_compared} of {n_done}"
        parts = [head]
        if self.largest is not None:
            worst = self.largest
            scores = counted(self.n_scored, "score")
            parts.append(f"{scores}, largest |z| {worst.largest_z:.1f} in point {worst.point}, {worst.place}")
        parts += [f"{counted(self.n_unscored, 'place')} without a score"] if self.n_unscored else []
        n_missing = self.n_points - len(self.rows)
        parts += [f"{counted(n_missing, 'point')} not finished"] if n_missing else []
        return "; ".join(parts)

    def __repr__(self) -> str:
        return f"<SweepComparison {self.path}: {self.verdict()}>"

    def __str__(self) -> str:
        verdict = self.verdict()
        header, rows = self.cells(_MOST_LINES)
        more = len(self.rows) - len(rows)
        lines = [table(header, rows)] if rows else []
        lines += [f"  ... and {counted(more, 'point')} with smaller |z|, or without a score"] if more else []
        lines += [f"  {line}" for line in self.reason_lines()]
        return "\n".join([*([self.recipe] if self.recipe else []), f"{capitalised(verdict)}.", *lines])

    def _repr_html_(self) -> str:
        header, rows = self.cells(_MOST_LINES)
        cells = ["".join(f"<td>{html.escape(cell)}</td>" for cell in row) for row in rows]
        head = "".join(f"<th>{html.escape(name)}</th>" for name in header)
        body = "".join(f"<tr>{row}</tr>" for row in cells)
        return f"<p>{html.escape(self.verdict())}</p><table><tr>{head}</tr>{body}</table>"

    def cells(self, n_rows: int | None = None) -> tuple[list[str], list[list[str]]]:
        """Return header and cells of the first rows, by default of all."""
        rows = [
            [
                str(row.point),
                *(f"{value:.6g}" if isinstance(value, float) else str(value) for value in row.values.values()),
                f"{row.n_scored:,}",
                f"{row.n_disagreeing:,}",
                f"{row.largest_z:.1f}" if row.n_scored else "-",
                row.place or "-",
                f"{row.n_within:,} of {row.n_bounded:,}" if row.n_bounded else "-",
                f"{row.n_unscored:,}" if row.n_unscored else "-",
            ]
            for row in self.rows[:n_rows]
        ]
        return ["point", *(self.rows[0].values if self.rows else ()), *_COLUMNS], rows

    def to_dict(self) -> dict[str, Any]:
        """Return the comparison as JSON values."""
        return {
            "path": str(self.path),
            "recipe": self.recipe or None,
            "n_points": self.n_points,
            "n_done": len(self.rows),
            "verdict": self.verdict(),
            "agrees": self.agrees,
            "disagrees": self.disagrees,
            "n_scored": self.n_scored,
            "n_unscored": self.n_unscored,
            "disagreeing": list(self.disagreeing),
            "points": [
                {**row, "values": dict(one.values), "panels": [_json(panel._asdict()) for panel in one.panels]}
                for one, row in zip(self.rows, map(_json, map(_numbers, self.rows)), strict=True)
            ],
        }

    def to_dataframe(self) -> "pandas.DataFrame":
        """Return a row for each finished point, the worst first.

        Raises
        ------
        InputError
            The package pandas is not installed.
        """
        with extra("pandas", "to_dataframe"):
            import pandas
        return pandas.DataFrame([{"point": row.point, **row.values, **_numbers(row)} for row in self.rows])


def _numbers(row: PointComparison) -> dict[str, Any]:
    names = (
        "point",
        "n_scored",
        "n_disagreeing",
        "largest_z",
        "place",
        "n_bounded",
        "n_within",
        "n_unscored",
        "reason",
    )
    return {name: getattr(row, name) for name in names}


def _json(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return values with None for NaN, which JSON does not have."""
    return {key: None if isinstance(value, float) and math.isnan(value) else value for key, value in values.items()}


def panel_scores(results: RecordedRun) -> list[PanelScore]:
    """Return the scores of a point; a point whose panels cannot be made has one without a name, with the reason."""
    try:
        agreements = agreement_of(results)
    except InputError as error:
        return [PanelScore("", 0, 0, math.nan, "", 0, 0, 0, str(error))]
    names = [one.name for one in agreements]
    return [
        PanelScore(
            # Two plots may have one name.
            panel=one.name if names.count(one.name) == 1 else f"{one.name} ({1 + names[:k].count(one.name)})",
            n_scored=one.n_scores,
            n_disagreeing=len(one.disagrees),
            largest_z=one.largest[0] if one.n_scores else math.nan,
            place=one.largest[1] if one.n_scores else "",
            n_bounded=one.n_bounded,
            n_within=one.n_within,
            n_unscored=one.n_unscored,
            reason=one.reason,
        )
        for k, one in enumerate(agreements)
    ]


def compare_sweep(source: SweepFolder | CollectedSweep) -> SweepComparison:
    """Return the comparison of the finished points of a sweep with their theory.

    The points of a folder are compared anew. A collected sweep has its scores; one without them is compared anew.

    Raises
    ------
    InputError
        No point is finished, or the data of a point have changed.
    """
    done, stored = sorted(source.done()), source.scores()
    if not done:
        raise InputError(f"a comparison must have finished points, got none in {source.path}")
    scores = {point: stored[point] if point in stored else panel_scores(source.results(point)) for point in done}
    words = sweep_words(source, done)
    return SweepComparison(source.path, words.heading if words else "", len(source.sweep), _rows(source, scores))


def recorded_verdict(source: SweepFolder | CollectedSweep) -> str:
    """Return the verdict of a collected sweep that has its scores; "" for other sweeps."""
    stored = source.scores()
    if not stored or set(stored) != source.done():
        return ""
    return SweepComparison(source.path, "", len(source.sweep), _rows(source, stored)).verdict()


def _rows(
    source: SweepFolder | CollectedSweep, scores: Mapping[int, Sequence[PanelScore]]
) -> tuple[PointComparison, ...]:
    """Return the comparisons of points, the worst first."""
    axes, shape, rows = named_axes(source.sweep), source.sweep.shape, []
    for point, panels in scores.items():
        position = np.unravel_index(point, shape)
        values = {
            parameter.name: parameter.values[i].item() if parameter.is_number else parameter.texts[i]
            for i, axis in zip(position, axes, strict=True)
            for parameter in axis.parameters
        }
        rows.append(PointComparison(point, values, tuple(panels)))
    rows.sort(key=lambda row: (not row.n_disagreeing, -row.largest_z if row.n_scored else math.inf, row.point))
    return tuple(rows)


def collect_compared(folder: SweepFolder | str | Path, path: str | Path) -> int:
    """Write the finished points of a sweep into one new file, with their scores against theory; see `collect_sweep`."""
    return collect_sweep(folder, path, panel_scores)
