"""The profile of a run as text: a table of the definitions of collapse, and the evidence for each."""

import textwrap
from collections.abc import Sequence

from fastcollapse.analysis.report import describe
from fastcollapse.simulation.profile.definitions import SOURCE, Finding
from fastcollapse.simulation.recorded_run import RecordedRun

_WIDTH = 110


def profile_text(results: RecordedRun, findings: Sequence[Finding]) -> str:
    """Return what a run says about each definition: a table, and below it definitions, quantities and evidence."""
    head = f"Definitions of collapse after {SOURCE}; the thresholds are choices of this project"
    header = ("definition", "holds", "generation", "value", "+- se")
    rows = [(one.name, one.holds, _whole(one.generation), _number(one.value), _number(one.error)) for one in findings]
    widths = [max(len(row[i]) for row in (header, *rows)) for i in range(len(header))]
    lines = [
        "  "
        + "  ".join([row[0].ljust(widths[0]), *(cell.rjust(w) for cell, w in zip(row[1:], widths[1:], strict=True))])
        for row in (header, *rows)
    ]
    return "\n".join([describe(results), "", head, *lines, "", *(_evidence(one) for one in findings)])


def _evidence(finding: Finding) -> str:
    """Return the definition, the quantity and the note of a finding, wrapped."""
    texts = [f"{finding.name}: {finding.definition}"]
    texts += [f"value: {finding.quantity}"] if finding.quantity else []
    texts += [finding.note] if finding.note else []
    lines = []
    for i, text in enumerate(texts):
        # The first line of a finding stands out.
        lines += textwrap.wrap(text, _WIDTH, initial_indent="    " if i else "  ", subsequent_indent="      ")
    return "\n".join(lines)


def _whole(value: int | None) -> str:
    return "-" if value is None else f"{value:,}"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}"
