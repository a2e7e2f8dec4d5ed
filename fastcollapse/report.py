"""Words about a run: the summary after it, its comparison with theory, and what a file holds."""

import json
import math
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fastcollapse.results import Results
from fastcollapse.views.base import Curve, Panel, case_names, marks, panels_of, spread, view_of
from fastcollapse.views.forgetting import Bracket, copies_of, forgetting

# A z-score beyond this is a disagreement. The generations of a run depend on each other and heterozygosity
# is skewed, so the rate is a measured one: 2 of 60,000 right runs of 2 to 60 symbols and 5 to 400 replicates
# had such a score of heterozygosity at any of the generations compared (beyond 4: about 1 of 400).
Z_LIMIT = 5.0
_COMPARED = 10
# More cases than this are a line each.
_CASES_IN_FULL = 4
_TOO_FEW = "too few replicates or events to tell a standard error"


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
        last = panels_of(results, np.array([results.last]))
        header = ["case", "scores", "largest |z|", *(f"{p.heading} at {results.last:,}" for p in last)]
        numbers = [_fixed(p.curve.mean[0], p.factor, p.digits) for p in last]
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
    own = ", ".join(f"{k} = {v}" for k, v in experiment.model.to_mapping().items())
    settings = ", ".join(f"{k} = {_short(v)}" for k, v in experiment.workflow.to_mapping().items())
    n_done, n_asked = max(results.last, 0), experiment.run.n_generations
    done = "" if n_done == n_asked else f"{n_done:,} of "
    recipe = results.recipe
    title = [] if recipe is None else [f"{recipe.title}{f', {recipe.source}' if recipe.source else ''}"]
    lines = [
        *(title if recipe is not None and recipe.cases is None else []),
        f"Recursive training, {experiment.family} model, workflow {experiment.workflow.name}",
        *([f"  model      {own}"] if own else []),
        f"  truth      {source}",
        f"  workflow   {experiment.workflow.name}: {settings}",
        f"  run        {done}{counted(n_asked, 'generation')} x "
        f"{counted(results.n_replicates, 'replicate')}, seed {experiment.run.seed}",
    ]
    return "\n".join(lines)


def counted(n: int, noun: str) -> str:
    """Return a number with its noun.

    Examples
    --------
    >>> counted(1, "replicate"), counted(2000, "replicate")
    ('1 replicate', '2,000 replicates')
    """
    return f"{n:,} {noun}{'' if n == 1 else 's'}"


def _short(value: object) -> str:
    text = json.dumps(value)
    return text if len(text) <= 40 else text[:37] + "..."


def shown(results: Results) -> np.ndarray:
    """Return the generations of the table: those of the recipe, or 1, 2, 5, 10, ... and the last."""
    recipe = results.recipe
    if recipe is None or recipe.generations is None:
        return marks(results.last)
    wanted = np.array(recipe.generations, dtype=np.int64)
    return wanted[wanted <= results.last]


def curves(results: Results) -> str:
    """Return the table over generations: each panel, simulated and in theory."""
    generations = shown(results)
    if not generations[generations >= 1].size:
        return "No generation is finished yet."
    panels = panels_of(results, generations)
    columns = [column for panel in panels for column in _columns(panel)]
    header = ["generation", *(name for name, _ in columns)]
    rows = [[f"{t:,}", *(cells[i] for _, cells in columns)] for i, t in enumerate(generations)]
    named = "\n".join(f"  {panel.heading}: {panel.title}" for panel in panels)
    bounded = any(panel.curve.lower is not None for panel in panels)
    notes = [
        "mean and standard deviation over replicates",
        *(["lower, upper: bounds of the expectation" if bounded else ""]),
        *(f"{panel.heading} is not compared ({why})" for panel in panels if (why := _why_not(results, panel))),
        "z: distance to exact theory in standard errors",
    ]
    return (
        f"Over generations\n{named}\n" + table(header, rows) + f"\n  {'; '.join(note for note in notes if note)}\n"
        "  (in: between the bounds, which are too far apart to be called exact; -: cannot be told)"
    )


def _columns(panel: Panel) -> list[tuple[str, list[str]]]:
    curve = panel.curve

    def cells(values: np.ndarray) -> list[str]:
        return [_fixed(value, panel.factor, panel.digits) for value in values]

    found = [(panel.heading, cells(curve.mean)), ("+- sd", cells(curve.sd))]
    if curve.lower is not None and curve.upper is not None:
        found += [("lower", cells(curve.lower)), ("upper", cells(curve.upper))]
    if np.isfinite(curve.expected).any():
        found.append(("exact", cells(curve.expected)))
    return [*found, ("z", [_score(curve, i) for i in range(len(curve.mean))])]


def _why_not(results: Results, panel: Panel) -> str:
    """Return why a panel has no theory, "" if it has."""
    if panel.curve.lower is not None or np.isfinite(panel.curve.expected).any():
        return ""
    why = getattr(view_of(results), "why_no_bounds", None)
    reason = "no theory of it is here" if why is None else why(results)
    return reason


def _fixed(value: float, factor: float, digits: int) -> str:
    return f"{value * factor:.{digits}f}" if math.isfinite(value) else "-"


def _score(curve: Curve, i: int) -> str:
    if not math.isfinite(curve.z[i]):
        return "-"
    return "in" if math.isnan(curve.expected[i]) and curve.z[i] == 0 else f"{curve.z[i]:+.1f}"


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


@dataclass(frozen=True)
class Verdict:
    """What the scores of one panel say.

    Parameters
    ----------
    name : heading of the panel.
    n_told : generations that could be compared; 0 for none.
    worst : the largest |z| among them, and its generation.
    far : generations whose score disagrees with theory.
    why_not : why nothing could be compared.
    n_within : generations whose mean is between bounds that are too far apart to be called exact: no score.
    """

    name: str
    n_told: int
    worst: tuple[float, int]
    far: tuple[int, ...]
    why_not: str = ""
    n_within: int = 0


def verdicts(results: Results) -> list[Verdict]:
    """Return what the scores of each panel of a run say.

    Checked are the generations of the recipe, or up to 10 spread by their logarithm.
    """
    wanted = results.recipe.generations if results.recipe is not None else None
    generations = spread(results.last, _COMPARED) if wanted is None else shown(results)
    found = []
    for panel in panels_of(results, generations):
        curve = panel.curve
        within = np.isnan(curve.expected) & (curve.z == 0) & (curve.lower is not None)
        told = np.isfinite(curve.z) & ~within
        if not told.any() and not within.any():
            found.append(Verdict(panel.heading, 0, (0.0, 0), (), _why_not(results, panel) or _TOO_FEW))
            continue
        scores = np.where(told, np.abs(curve.z), 0.0)
        worst = int(np.argmax(scores))
        far = tuple(int(t) for t in generations[scores > Z_LIMIT])
        at = (float(scores[worst]), int(generations[worst]))
        found.append(Verdict(panel.heading, int(told.sum()), at, far, n_within=int(within.sum())))
    return found


def comparison(results: Results) -> tuple[str, bool]:
    """Return the comparison of a run with its theory as text, and whether nothing in it disagrees.

    A score beyond 5 is a disagreement.
    """
    found = verdicts(results)
    lines = []
    for one in found:
        if one.n_told + one.n_within == 0:
            lines.append(f"  {one.name}: not compared ({one.why_not})")
            continue
        score, at = one.worst
        text = f"{counted(one.n_told, 'generation')} compared, largest |z| {score:.1f} at generation {at:,}"
        if one.n_told == 0:
            text = "no exact value"
        if one.n_within:
            text += f"; {counted(one.n_within, 'generation')} between the bounds"
        if one.far:
            where = ", ".join(f"{t:,}" for t in one.far)
            text += f"; DISAGREES with theory (|z| > {Z_LIMIT:g}) at generation {where}"
        lines.append(f"  {one.name}: {text}")
    agree = not any(one.far for one in found)
    if not any(one.n_told + one.n_within for one in found):
        verdict = "Nothing could be compared with theory:"
    else:
        verdict = f"The simulation {'agrees' if agree else 'disagrees'} with theory:"
    return "\n".join([describe(results), "", curves(results), "", verdict, *lines]), agree


def agreement(found: Sequence[Verdict]) -> str:
    """Return what several verdicts say, in a few words."""
    n_told, n_within = sum(one.n_told for one in found), sum(one.n_within for one in found)
    worst = max((one.worst[0] for one in found), default=0.0)
    far = sum(len(one.far) for one in found)
    parts = [f"{n_told:,} scores, largest |z| {worst:.1f}"] if n_told else []
    parts += [f"{n_within} between bounds"] if n_within else []
    parts += [f"{far} DISAGREE"] if far else []
    return ", ".join(parts) or "not compared"


def _bytes(n: int) -> str:
    return f"{n / 1e6:,.1f} MB" if n >= 1e6 else f"{n / 1e3:,.1f} kB"


def contents(results: Results) -> str:
    """Return what a results file holds: experiment, state, provenance."""
    where, provenance = results.path, results.provenance
    n_bytes = where.stat().st_size if where is not None and where.is_file() else 0
    size = f", {_bytes(n_bytes)}" if n_bytes else ""
    state = "complete" if results.complete else "not finished"
    lines = [
        f"{where}{size}: {state if results.last >= 0 else f'{state}, no generation yet'}",
        "",
        describe(results),
        f"  record     {', '.join(results.experiment.run.record)}",
        f"  digest     {results.digest}",
        f"  created    {provenance.get('created', 'unknown')} on {provenance.get('processor', 'unknown')}, "
        f"{provenance.get('n_cores', '?')} cores",
        "  versions   " + ", ".join(f"{k} {v}" for k, v in sorted(provenance.get("packages", {}).items())),
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
