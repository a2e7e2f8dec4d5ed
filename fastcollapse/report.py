"""Words about a run: the summary after it, its comparison with theory, and what a file holds."""

import json
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from fastcollapse.comparison import (
    Curve,
    copies_of,
    forgetting,
    heterozygosity,
    marks,
    spread,
    survival,
)
from fastcollapse.results import Results

# A z-score beyond this is a disagreement: once in 16,000 for one comparison.
Z_LIMIT = 4.0
_COMPARED = 100


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
        "  " + "  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True))
        for line in lines
    )


def summary(results: Results, elapsed: float | None = None, files: Sequence[Path] = ()) -> str:
    """Return the summary of a run for a person.

    Parameters
    ----------
    elapsed : seconds that the simulation took, if known.
    files : what was written.
    """
    parts = [describe(results), curves(results)]
    if results.forgotten is not None:
        parts.append(forgetting_table(results))
    if elapsed is not None:
        parts.append(throughput(results, elapsed))
    if files:
        parts.append("Files: " + "\n       ".join(str(file) for file in files))
    return "\n\n".join(part for part in parts if part)


def describe(results: Results) -> str:
    """Return what was simulated."""
    experiment, truth = results.experiment, results.truth
    # The source of a law names its size itself.
    size = "" if truth.total is None else f": {truth.support_size:,} symbols, {truth.total:,} tokens"
    settings = ", ".join(f"{k} = {_short(v)}" for k, v in experiment.workflow.to_mapping().items())
    n_done, n_asked = int(results.generation[-1]), experiment.run.n_generations
    generations = f"{n_done:,}" if n_done == n_asked else f"{n_done:,} of {n_asked:,}"
    lines = [
        f"Recursive training, {experiment.model.family} model, workflow {experiment.workflow.name}",
        f"  truth      {truth.source}{size}",
        f"  workflow   {experiment.workflow.name}: {settings}",
        f"  run        {generations} generations x {results.n_replicates:,} replicates, "
        f"seed {experiment.run.seed}",
    ]
    return "\n".join(lines)


def _short(value: object) -> str:
    text = json.dumps(value)
    return text if len(text) <= 40 else text[:37] + "..."


def curves(results: Results) -> str:
    """Return the table over generations: survival and heterozygosity, simulated and in theory."""
    generations = marks(int(results.generation[-1]))
    if not generations[generations >= 1].size:
        return "No generation is finished yet."
    share, diversity = survival(results, generations), heterozygosity(results, generations)
    header = ["generation", "alive %", "+- sd", "lower", "upper", "z", "H", "exact H", "z"]
    rows = [
        [
            f"{t:,}",
            _fixed(share.mean[i], 100, 3),
            _fixed(share.sd[i], 100, 3),
            _fixed(share.lower[i], 100, 3) if share.lower is not None else "-",
            _fixed(share.upper[i], 100, 3) if share.upper is not None else "-",
            _score(share, i),
            _fixed(diversity.mean[i], 1, 5),
            _fixed(diversity.expected[i], 1, 5),
            _score(diversity, i),
        ]
        for i, t in enumerate(generations)
    ]
    bounds = (
        "lower, upper: bounds of its expectation; "
        if share.lower is not None
        else "theory has no bounds of it for this workflow; "
    )
    return (
        f"Share of the {results.truth.support_size:,} symbols still alive (mean and standard deviation over "
        f"replicates),\nand heterozygosity H, the chance that two tokens differ\n"
        + table(header, rows)
        + f"\n  {bounds}z: distance to exact theory in standard errors\n"
        "  (in: between the bounds, which are too far apart to be called exact; -: cannot be told)"
    )


def _fixed(value: float, factor: float, digits: int) -> str:
    return f"{value * factor:.{digits}f}" if math.isfinite(value) else "-"


def _score(curve: Curve, i: int) -> str:
    if not math.isfinite(curve.z[i]):
        return "-"
    return "in" if math.isnan(curve.expected[i]) and curve.z[i] == 0 else f"{curve.z[i]:+.1f}"


def forgetting_table(results: Results) -> str:
    """Return when symbols of 1, 10 and 100 copies are forgotten, against the law; "" if there are none."""
    last = int(results.generation[-1])
    rows, notes = [], []
    for count in (1, 10, 100):
        found = forgetting(results, count)
        if found is None:
            continue
        name = f"{count}"
        if not math.isclose(found.smallest, found.largest, rel_tol=1e-9):
            name += "*"
            span = f"{found.smallest:.4g} to {found.largest:.4g}"
            notes.append(f"{count}: symbols of {span}, mean {found.copies:.4g}")
        low, median, high = (f"> {last:,}" if q is None else f"{q:,}" for q in found.quartiles)
        law = "-" if found.law is None else f"{found.law:,.1f}"
        exact = "-" if found.exact is None else f"{found.exact:,}"
        rows.append([name, f"{found.n_symbols:,}", low, median, high, law, exact])
    if not rows:
        return ""
    counted = results.truth.counts is not None and np.array_equal(copies_of(results), results.truth.counts)
    what = "occurred c times" if counted else "are expected c times in generation 1"
    text = f"When symbols that {what} are forgotten (generations; over symbols and replicates)\n" + table(
        ["c", "symbols", "25 %", "median", "75 %", "2c/ln 2", "exact median"], rows
    )
    return text + (f"\n  * {'; '.join(notes)}" if notes else "")


def throughput(results: Results, elapsed: float) -> str:
    """Return wall time and throughput."""
    generations = int(results.generation[-1]) * results.n_replicates
    cells = float(results.metrics["support_size"][:, :-1].sum())
    return (
        f"Simulated in {elapsed:.2f} s: {_rate(generations / elapsed)} generations x replicates a second, "
        f"{_rate(cells / elapsed)} live symbols a second"
    )


def _rate(value: float) -> str:
    return f"{value:,.0f}" if value < 1e6 else f"{value / 1e6:,.1f} million"


def comparison(results: Results) -> tuple[str, bool]:
    """Return the comparison of a run with its theory as text, and whether they agree.

    Checked are up to 100 generations spread by their logarithm; a score beyond 4 is a disagreement.
    """
    generations = spread(int(results.generation[-1]), _COMPARED)
    verdicts, agree = [], True
    for name, curve in (
        ("surviving share", survival(results, generations)),
        ("heterozygosity", heterozygosity(results, generations)),
    ):
        told = np.isfinite(curve.z)
        if not told.any():
            no_theory = curve.lower is None and np.isnan(curve.expected).all()
            reason = "no theory for this workflow" if no_theory else "too few events"
            verdicts.append(f"  {name}: not compared ({reason})")
            continue
        scores = np.where(told, curve.z, 0.0)
        worst = int(np.argmax(np.abs(scores)))
        far = generations[np.abs(scores) > Z_LIMIT]
        text = (
            f"{int(told.sum())} generations compared, "
            f"largest |z| {abs(scores[worst]):.1f} at generation {generations[worst]:,}"
        )
        if far.size:
            agree = False
            shown = ", ".join(f"{t:,}" for t in far[:8]) + (", ..." if far.size > 8 else "")
            text += f"; DISAGREES with theory (|z| > {Z_LIMIT:g}) at generation {shown}"
        verdicts.append(f"  {name}: {text}")
    verdict = "agrees with theory" if agree else "disagrees with theory"
    text = "\n".join([describe(results), "", curves(results), "", f"The simulation {verdict}:", *verdicts])
    return text, agree


def contents(results: Results) -> str:
    """Return what a results file holds: experiment, state, provenance."""
    where, provenance = results.path, results.provenance
    size = f", {where.stat().st_size / 1e6:,.1f} MB" if where is not None and where.is_file() else ""
    last = int(results.generation[-1])
    lines = [
        f"{where}{size}: {'complete' if results.complete else 'not finished'}",
        "",
        describe(results),
        f"  record     {', '.join(results.experiment.run.record)}",
        f"  digest     {results.digest}",
        f"  created    {provenance.get('created', 'unknown')} on {provenance.get('processor', 'unknown')}, "
        f"{provenance.get('n_cores', '?')} cores",
        "  versions   " + ", ".join(f"{k} {v}" for k, v in sorted(provenance.get("packages", {}).items())),
        "",
        f"Metrics, mean over replicates at generation 0 and {last:,}",
    ]
    rows = []
    for name, values in results.metrics.items():
        units = results.metric_attributes[name].get("units", "")
        ends = (f"{values[:, at].mean():.6g}" for at in (0, -1))
        rows.append([name, *ends, units if units != "1" else ""])
    return "\n".join([*lines, table(["metric", "start", "end", "unit"], rows)])
