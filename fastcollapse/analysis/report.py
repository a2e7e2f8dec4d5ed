"""Text reports of a run: summary, comparison with theory, and contents of its file."""

import shlex
import textwrap
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from fastcollapse.analysis.agreement import agreement_of
from fastcollapse.analysis.comparison import Comparison
from fastcollapse.analysis.first_passage import first_passage_table
from fastcollapse.analysis.panels.panel import GENERATION
from fastcollapse.analysis.panels.published import recipe_words
from fastcollapse.analysis.panels.registry import panels_for, panels_of
from fastcollapse.analysis.panels.schedules import schedule_of
from fastcollapse.analysis.panels.text import counted, settings_text, table
from fastcollapse.analysis.tables import case_names, number, tables_of
from fastcollapse.analysis.words import plain
from fastcollapse.errors import printable
from fastcollapse.simulation.recorded_run import RecordedRun
from fastcollapse.simulation.sampled_text import summary_text
from fastcollapse.storage.part_files import is_begun, is_replacing
from fastcollapse.storage.parts_folder import writer_of

# More cases than this have a line each instead of their tables.
_CASES_IN_FULL = 4
# The sentences of a summary: generations, number at each, and characters of one that are shown.
_TEXT_GENERATIONS = (0, 1, 5, 10)
_N_SENTENCES = 3
_SENTENCE_WIDTH = 100


def summary(
    results: RecordedRun | Sequence[RecordedRun], elapsed: float | None = None, files: Sequence[Path] = ()
) -> str:
    """Return the summary of a run, or of the cases of a recipe.

    Parameters
    ----------
    elapsed : duration of the simulation in seconds, if known.
    files : the files that were written.
    """
    cases = [results] if isinstance(results, RecordedRun) else list(results)
    parts = [describe(cases[0])] if len(cases) == 1 else [_describe_cases(cases)]
    names = list(map(plain, case_names(cases)))
    for k, case in enumerate(cases):
        heading = f"Case {k + 1}: {names[k]}\n" if len(cases) > 1 else ""
        if len(cases) <= _CASES_IN_FULL:
            parts += [heading + tables_of(case), first_passage_table(case)]
    if len(cases) > _CASES_IN_FULL:
        parts.append(_cases_table(cases))
    words = recipe_words(cases)
    if words is not None and words.note:
        parts.append("\n".join(textwrap.wrap(f"Note: {words.note}", 110)))
    has_own_panels = cases[0].recipe is not None and cases[0].recipe.panels is not None
    if len(cases) == 1 and not has_own_panels and schedule_of(cases[0]).is_plain:
        parts += panels_for(cases[0]).summary_tables(cases[0])
    if len(cases) == 1:
        parts.append(_sentences(cases[0]))
    if elapsed is not None:
        parts.append(throughput(cases, elapsed))
    if files:
        shown_files = list(files) if len(files) <= _CASES_IN_FULL + 1 else [files[0], "...", *files[-2:]]
        parts.append("Files: " + "\n       ".join(str(file) for file in shown_files))
    return "\n\n".join(part for part in parts if part)


def sentences_of(results: RecordedRun) -> dict[int, list[str]]:
    """Return sentences of the first replicate by generation; empty for a run without text."""
    return summary_text(results.experiment, results.reader, _TEXT_GENERATIONS, _N_SENTENCES)


def _sentences(results: RecordedRun) -> str:
    """Return sentences of the first replicate at a few generations; "" for a run without text."""
    rows = []
    for generation, sentences in sentences_of(results).items():
        label = f"{generation:12,}"
        for sentence in sentences:
            shown = printable(sentence)
            rows.append(f"{label}  {shown if len(shown) <= _SENTENCE_WIDTH else shown[:_SENTENCE_WIDTH] + ' ...'}")
            label = " " * len(label)
    return "\n".join(["Sentences that the models of replicate 0 write", "  generation", *rows]) if rows else ""


def _describe_cases(cases: Sequence[RecordedRun]) -> str:
    """Return the title of a recipe with cases, and its first case."""
    words = recipe_words(cases)
    heading = "" if words is None else f"{words.heading}\n"
    return f"{heading}{counted(len(cases), 'case')}, the first:\n{_settings(cases[0])}"


def _cases_table(cases: Sequence[RecordedRun]) -> str:
    """Return a line for each case: its scores and its panels at the last generation."""
    rows, header = [], ["case", "scores", "largest |z|"]
    for results, case in zip(cases, map(plain, case_names(cases)), strict=True):
        agreements = agreement_of(results)
        n_scores = sum(agreement.n_scores for agreement in agreements)
        panels = panels_of(results, np.array([results.last]))
        at_end = [panel for panel in panels if panel.axis is GENERATION and panel.curve.at[-1:] == results.last]
        header = ["case", "scores", "largest |z|", *(f"{panel.heading} at {results.last:,}" for panel in at_end)]
        numbers = [number(panel, panel.curve.mean[-1]) for panel in at_end]
        largest = f"{max(agreement.largest[0] for agreement in agreements):.1f}" if n_scores else "no score"
        rows.append([case, f"{n_scores:,}", largest, *numbers])
    return table(header, rows)


def describe(results: RecordedRun) -> str:
    """Return the recipe and the experiment of a run in words: model, truth, workflow, size."""
    words = recipe_words([results])
    return _settings(results) if words is None else f"{words.heading}\n{_settings(results)}"


def _settings(results: RecordedRun) -> str:
    """Return the experiment of a run in words, without its recipe."""
    experiment = results.experiment
    heading = f"Recursive training, {experiment.family} model, workflow {experiment.workflow.name}"
    return "\n".join([heading, *(f"  {name:10} {words}" for name, words in settings_of(results).items())])


def settings_of(results: RecordedRun) -> dict[str, str]:
    """Return the sections of the experiment of a run in words, by name."""
    experiment = results.experiment
    parameters = experiment.model.to_mapping()
    tables = {k: v for k, v in parameters.items() if isinstance(v, dict)}
    own = settings_text({k: v for k, v in parameters.items() if k not in tables})
    settings = settings_text(experiment.workflow.to_mapping())
    n_done, n_asked = max(results.last, 0), experiment.run.n_generations
    done = "" if n_done == n_asked else f"{n_done:,} of "
    engine = "spectrum: the number of symbols of each count" if results.engine == "spectrum" else ""
    words = {
        "model": own,
        "engine": engine,
        **{k: settings_text(given) for k, given in tables.items()},
        "truth": panels_for(results).describe_truth(results),
        "workflow": f"{experiment.workflow.name}: {settings}",
        "sampling": settings_text(experiment.sampling.to_mapping()) if experiment.sampling else "",
        "run": f"{done}{counted(n_asked, 'generation')} x {counted(results.n_replicates, 'replicate')}, "
        f"seed {experiment.run.seed}",
    }
    return {name: text for name, text in words.items() if text}


def throughput(cases: Sequence[RecordedRun], elapsed: float) -> str:
    """Return wall time and throughput of the runs of one family."""
    generations = sum(results.last * results.n_replicates for results in cases)
    text = f"Simulated in {elapsed:.2f} s: {_rate(generations / elapsed)} generations x replicates a second"
    processed = [work for work in (panels_for(results).throughput(results) for results in cases) if work is not None]
    if processed:
        text += f", {_rate(sum(n for n, _ in processed) / elapsed)} {processed[0][1]} a second"
    return text


def _rate(value: float) -> str:
    """Return a number per second as text."""
    return f"{value:,.0f}" if value < 1e6 else f"{value / 1e6:,.1f} million"


def comparison_text(results: RecordedRun, comparison: Comparison) -> str:
    """Return the comparison of a run with its theory as text: what it is, its tables, and the agreement."""
    parts = (describe(results), tables_of(results), first_passage_table(results), comparison.text())
    return "\n\n".join(part for part in parts if part)


def _bytes(n: int) -> str:
    """Return a size as text."""
    return f"{n / 1e6:,.1f} MB" if n >= 1e6 else f"{n / 1e3:,.1f} kB"


def contents(results: RecordedRun) -> str:
    """Return the contents of a results file: state, experiment, provenance, metrics."""
    provenance = results.provenance
    state = "complete" if results.finished and results.complete else "not finished"
    state += "" if results.last >= 0 else ", no generation yet"
    lines = [
        f"{results.path}{_size(results)}: {state}{_resume(results)}",
        "",
        describe(results),
        f"  record     {', '.join(results.experiment.run.record)}",
        f"  digest     {results.digest}",
        f"  created    {provenance.get('created', 'unknown')} on {provenance.get('processor', 'unknown')}, "
        f"{provenance.get('n_cores', '?')} cores",
        "  versions   " + ", ".join(f"{k} {v}" for k, v in sorted(provenance.get("packages", {}).items())),
        *(
            f"  resumed    after generation {resumption['after']:,}, {resumption['created']}"
            for resumption in provenance.get("resumed", ())
        ),
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
        values = coordinate.values
        span = f"{values[0]:g}" if len(values) == 1 else f"{values.min():g} to {values.max():g}"
        lines.append(f"  {dim}: {coordinate.long_name}, {counted(len(values), 'value')}, {span}")
    return "\n".join(lines)


def check_line(results: RecordedRun) -> str:
    """Return in one line that a results file has passed its check, and its size."""
    n = max(results.last, 0)
    size = f"{counted(n, 'generation')} x {counted(results.n_replicates, 'replicate')}"
    state = "run complete" if results.finished else "run not finished"
    return f"{results.path}{_size(results)}: OK: checksums match; {state}, {size}{_resume(results)}"


def _size(results: RecordedRun) -> str:
    """Return the size of the results file, "" for a folder."""
    path = results.path
    n_bytes = path.stat().st_size if path is not None and path.is_file() else 0
    return f", {_bytes(n_bytes)}" if n_bytes else ""


def _resume(results: RecordedRun) -> str:
    """Return which process is writing an unfinished run, also one that will replace the file, or how to resume it."""
    path = results.path
    if path is None or (results.finished and not (is_begun(path) and is_replacing(path))):
        return ""
    what = "a new run that will replace it is not finished; " if results.finished else ""
    writer = writer_of(path)
    if writer:
        return f"; {what}{writer} is writing it"
    return f"; {what}to resume: {resume_command(results)}"


def resume_command(results: RecordedRun) -> str:
    """Return the command that resumes the run of a file; code that results only name needs the experiment file."""
    path = shlex.quote(str(results.path))
    if "factory" in results.experiment.to_mapping()["model"]:
        return f"fastcollapse run FILE.toml --resume {path}, with the experiment file of the run"
    return f"fastcollapse run --resume {path}"


def _mean_of(values: np.ndarray) -> str:
    """Return the mean over replicates, or "-" where nothing was evaluated.

    Parameters
    ----------
    values : float64 (R, ...); of further dimensions the smallest and the largest mean are shown.
    """
    means = values.mean(axis=0)
    means = means[np.isfinite(means)]
    if not means.size:
        return "-"
    low, high = f"{means.min():.6g}", f"{means.max():.6g}"
    return low if values.ndim == 1 else f"{low} to {high}"
