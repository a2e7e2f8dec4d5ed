"""Words about a run: the summary after it, its comparison with theory, and what a file holds."""

import json
import math
import textwrap
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from fastcollapse.analysis.agreement import verdicts
from fastcollapse.analysis.panels.base import case_names, panels_of, view_of
from fastcollapse.analysis.panels.extinction_times import Bracket, copies_of, forgetting
from fastcollapse.analysis.panels.panel import GENERATION
from fastcollapse.analysis.tables import counted, curves, number, table
from fastcollapse.simulation.results import Results
from fastcollapse.storage.parts_folder import writer_of

# More cases than this are a line each.
_CASES_IN_FULL = 4


def summary(results: Results | Sequence[Results], elapsed: float | None = None, files: Sequence[Path] = ()) -> str:
    """Return the summary of a run, or of the cases of a recipe, for a person.

    Parameters
    ----------
    elapsed : seconds that the simulation took, if known.
    files : what was written.
    """
    cases = [results] if isinstance(results, Results) else list(results)
    parts = [describe(cases[0])] if len(cases) == 1 else [_describe_cases(cases)]
    names = case_names(cases)
    for k, one in enumerate(cases):
        heading = f"Case {k + 1}: {names[k]}\n" if len(cases) > 1 else ""
        if len(cases) <= _CASES_IN_FULL:
            parts.append(heading + curves(one))
    if len(cases) > _CASES_IN_FULL:
        parts.append(_cases_table(cases))
    recipe = cases[0].recipe
    if recipe is not None and recipe.note is not None:
        parts.append("\n".join(textwrap.wrap(f"Note: {recipe.note}", 110)))
    if len(cases) == 1 and recipe is None and cases[0].experiment.family == "discrete":
        if cases[0].forgotten is not None:
            parts.append(forgetting_table(cases[0]))
    if elapsed is not None:
        parts.append(throughput(cases, elapsed))
    if files:
        shown_files = list(files) if len(files) <= _CASES_IN_FULL + 1 else [files[0], "...", *files[-2:]]
        parts.append("Files: " + "\n       ".join(str(file) for file in shown_files))
    return "\n\n".join(part for part in parts if part)


def _describe_cases(cases: Sequence[Results]) -> str:
    """Return what the cases of a recipe have in common."""
    recipe = cases[0].recipe
    assert recipe is not None
    source = f", {recipe.source}" if recipe.source else ""
    return f"{recipe.title}{source}\n{counted(len(cases), 'case')}, the first:\n{describe(cases[0])}"


def _cases_table(cases: Sequence[Results]) -> str:
    """Return a line for each case: its scores and its panels at the last generation."""
    rows, header = [], ["case", "scores", "largest |z|"]
    for results, case in zip(cases, case_names(cases), strict=True):
        found = verdicts(results)
        told = sum(one.n_told for one in found)
        at_end = panels_of(results, np.array([results.last]))
        last = [one for one in at_end if one.axis is GENERATION and one.curve.at[-1:] == results.last]
        header = ["case", "scores", "largest |z|", *(f"{one.heading} at {results.last:,}" for one in last)]
        numbers = [number(one, one.curve.mean[-1]) for one in last]
        worst = f"{max(one.worst[0] for one in found):.1f}" if told else "-"
        rows.append([case, f"{told:,}", worst, *numbers])
    return table(header, rows)


def describe(results: Results) -> str:
    """Return what was simulated."""
    experiment = results.experiment
    if experiment.family == "discrete":
        source = results.truth.source + view_of(results).size_of(results)
    else:
        source = experiment.truth.source
    settings_of_model = experiment.model.to_mapping()
    tables = {k: v for k, v in settings_of_model.items() if isinstance(v, dict)}
    own = ", ".join(f"{k} = {v}" for k, v in settings_of_model.items() if k not in tables)
    settings = ", ".join(f"{k} = {_short(v)}" for k, v in experiment.workflow.to_mapping().items())
    n_done, n_asked = max(results.last, 0), experiment.run.n_generations
    done = "" if n_done == n_asked else f"{n_done:,} of "
    recipe = results.recipe
    title = [] if recipe is None else [f"{recipe.title}{f', {recipe.source}' if recipe.source else ''}"]
    lines = [
        *(title if recipe is not None and recipe.cases is None else []),
        f"Recursive training, {experiment.family} model, workflow {experiment.workflow.name}",
        *([f"  model      {own}"] if own else []),
        *(f"  {k:10} {', '.join(f'{name} = {_short(v)}' for name, v in given.items())}" for k, given in tables.items()),
        f"  truth      {source}",
        f"  workflow   {experiment.workflow.name}: {settings}",
        f"  run        {done}{counted(n_asked, 'generation')} x "
        f"{counted(results.n_replicates, 'replicate')}, seed {experiment.run.seed}",
    ]
    return "\n".join(lines)


def _short(value: object) -> str:
    text = json.dumps(value)
    return text if len(text) <= 40 else text[:37] + "..."


def forgetting_table(results: Results) -> str:
    """Return when symbols of 1, 10 and 100 copies are forgotten, against the law; "" if there are none."""
    last = results.last
    rows, notes, limits, ranges = [], [], "", ""
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
        rows.append([name, f"{found.n_symbols:,}", low, median, high, _bracket(found.median, last), law])
        if found.law is not None:
            limits = "\n  2c/ln 2: what the median tends to for 1 << c << n"
        if found.median is not None and found.median[0] != found.median[1]:
            ranges = "\n  a range of theory: between the bounds of the median"
    if not rows:
        return ""
    in_data = results.truth.counts is not None and np.array_equal(copies_of(results), results.truth.counts)
    what = "occurred c times" if in_data else "are expected c times in generation 1"
    text = f"When symbols that {what} are forgotten (generations; over symbols and replicates)\n" + table(
        ["c", "symbols", "25 %", "median", "75 %", "median by theory", "2c/ln 2"], rows
    )
    return text + (f"\n  * {'; '.join(notes)}" if notes else "") + limits + ranges


def _bracket(median: Bracket | None, last: int) -> str:
    """Return a median that theory knows, or the bounds of it."""
    if median is None:
        return "-"
    earliest, latest = median
    if earliest is None:
        return f"> {last:,}"
    if latest is None:
        return f">= {earliest:,}"
    return f"{earliest:,}" if earliest == latest else f"{earliest:,} to {latest:,}"


def throughput(cases: Sequence[Results], elapsed: float) -> str:
    """Return wall time and throughput of runs."""
    generations = sum(results.last * results.n_replicates for results in cases)
    text = f"Simulated in {elapsed:.2f} s: {_rate(generations / elapsed)} generations x replicates a second"
    view = view_of(cases[0])
    if hasattr(view, "throughput"):
        n = sum(view.throughput(results)[0] for results in cases)
        what = view.throughput(cases[0])[1]
        text += f", {_rate(n / elapsed)} {what} a second"
    return text


def _rate(value: float) -> str:
    return f"{value:,.0f}" if value < 1e6 else f"{value / 1e6:,.1f} million"


def comparison(results: Results) -> tuple[str, bool]:
    """Return the comparison of a run with its theory as text, and whether nothing in it disagrees.

    A score beyond 5 is a disagreement.
    """
    found = verdicts(results)
    agree = not any(one.far for one in found)
    if not any(one.n_told + one.n_within for one in found):
        verdict = "Nothing could be compared with theory:"
    else:
        verdict = f"The simulation {'agrees' if agree else 'disagrees'} with theory:"
    return "\n".join(
        [describe(results), "", curves(results), "", verdict, *(f"  {one.words()}" for one in found)]
    ), agree


def _bytes(n: int) -> str:
    return f"{n / 1e6:,.1f} MB" if n >= 1e6 else f"{n / 1e3:,.1f} kB"


def contents(results: Results) -> str:
    """Return what a results file holds: experiment, state, provenance."""
    where, provenance, size = results.path, results.provenance, _size(results)
    state = "complete" if results.finished and results.complete else "not finished"
    lines = [
        f"{where}{size}: {state}{'' if results.last >= 0 else ', no generation yet'}{_going_on(results)}",
        "",
        describe(results),
        f"  record     {', '.join(results.experiment.run.record)}",
        f"  digest     {results.digest}",
        f"  created    {provenance.get('created', 'unknown')} on {provenance.get('processor', 'unknown')}, "
        f"{provenance.get('n_cores', '?')} cores",
        "  versions   " + ", ".join(f"{k} {v}" for k, v in sorted(provenance.get("packages", {}).items())),
        *(f"  resumed    after generation {one['after']:,}, {one['created']}" for one in provenance.get("resumed", ())),
    ]
    if results.last < 0:
        return "\n".join(lines)
    lines += ["", f"Metrics, mean over replicates at generation 0 and {results.last:,}"]
    rows = []
    for name, values in results.metrics.items():
        units = results.variables[name].units
        ends = (_mean_of(values[:, at]) for at in (0, -1))
        rows.append([name, *ends, units if units != "1" else ""])
    lines.append(table(["metric", "start", "end", "unit"], rows))
    for dim, coordinate in results.coordinates.items():
        at = coordinate.values
        span = f"{at[0]:g}" if len(at) == 1 else f"{at.min():g} to {at.max():g}"
        lines.append(f"  {dim}: {coordinate.long_name}, {counted(len(at), 'value')}, {span}")
    return "\n".join(lines)


def whole(results: Results) -> str:
    """Return that a results file has been checked, and what it holds, in one line."""
    n = max(results.last, 0)
    held = f"{counted(n, 'generation')} x {counted(results.n_replicates, 'replicate')}"
    state = "finished" if results.finished else "not finished"
    return f"{results.path}{_size(results)}: as it was written, {state}, {held}{_going_on(results)}"


def _size(results: Results) -> str:
    where = results.path
    n_bytes = where.stat().st_size if where is not None and where.is_file() else 0
    return f", {_bytes(n_bytes)}" if n_bytes else ""


def _going_on(results: Results) -> str:
    """Return who writes a run that is not finished, or how to go on with it."""
    if results.finished or results.path is None:
        return ""
    writer = writer_of(results.path)
    return f", {writer} is writing it" if writer else f": fastcollapse run --resume {results.path} goes on"


def _mean_of(values: np.ndarray) -> str:
    """Return the mean over replicates, float64 (R, ...), where there are further dimensions from the least to the
    largest of them; "-" where nothing was evaluated.
    """
    means = values.mean(axis=0)
    means = means[np.isfinite(means)]
    if not means.size:
        return "-"
    low, high = f"{means.min():.6g}", f"{means.max():.6g}"
    return low if values.ndim == 1 else f"{low} to {high}"
