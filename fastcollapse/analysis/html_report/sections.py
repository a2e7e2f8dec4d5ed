"""Sections of a report: what the page says of one run, or of a sweep."""

import io
import shlex
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastcollapse.analysis.agreement import Agreement
from fastcollapse.analysis.captions import figure_lines
from fastcollapse.analysis.citations import Citations, citations_of, citations_of_sweep
from fastcollapse.analysis.comparison import compare
from fastcollapse.analysis.figure_plots import plots_of_figure
from fastcollapse.analysis.figures import Look, draw_plots
from fastcollapse.analysis.matplotlib_settings import drawing
from fastcollapse.analysis.panels.published import recipe_words
from fastcollapse.analysis.panels.text import capitalised, counted
from fastcollapse.analysis.report import resume_command, sentences_of, settings_of
from fastcollapse.analysis.sweep_comparison import compare_sweep
from fastcollapse.analysis.sweep_figures import draw_with_caption
from fastcollapse.analysis.sweep_panels import sweep_words
from fastcollapse.analysis.tables import PanelTable, panel_tables
from fastcollapse.config.dotted_keys import flat
from fastcollapse.config.toml_text import toml_value
from fastcollapse.errors import InputError
from fastcollapse.simulation.experiment import Experiment
from fastcollapse.simulation.recorded_run import RecordedRun, check_run
from fastcollapse.sweeps.collected_results import CollectedSweep, open_sweep
from fastcollapse.sweeps.folder import SweepFolder

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_AGREEMENT_HEADER = ["quantity", "scored", "largest |z|", "at", "agrees", "not scored", "why"]


@dataclass(frozen=True)
class Section:
    """One run, or one sweep.

    Parameters
    ----------
    name : file name.
    title : what it is, in words.
    source : the publication; "" without one.
    note : the note of its recipe, or "".
    verdict : the agreement with theory in one sentence.
    agrees : whether all scores agree with theory; None without a score.
    facts : what was run, by name.
    figure : the figure as SVG; "" without one.
    figure_problem : why there is no figure, or "".
    caption : lines of the caption of the figure, without what the page says elsewhere.
    agreements : table of the agreement of each quantity, or of each point of a sweep.
    tables, notes : the numbers, and the notes below them.
    sentences : sentences by generation, for models of text.
    values : all values of the experiment, or of the sweep with its seed, as TOML.
    text : the text of the experiment file; "" without one, or where values differ from those of its recipe.
    replay : commands that run it again and check it, by what they do.
    citations : what is cited with it.
    """

    name: str
    title: str
    source: str
    note: str
    verdict: str
    agrees: bool | None
    facts: Mapping[str, str]
    figure: str
    figure_problem: str
    agreements: PanelTable
    values: str
    text: str
    replay: Mapping[str, str]
    citations: Citations
    caption: Sequence[str] = ()
    tables: Sequence[PanelTable] = ()
    notes: Sequence[str] = ()
    sentences: Mapping[int, Sequence[str]] = field(default_factory=dict)


def run_section(results: RecordedRun) -> Section:
    """Return the section of a run."""
    words = recipe_words([results])
    comparison = compare(results) if results.last >= 1 else None
    tables, notes = panel_tables(results)
    figure, caption, problem = _svg(lambda: _figure_and_lines(results))
    experiment = results.experiment
    path = None if results.path is None else shlex.quote(str(results.path))
    commands = (
        {} if path is None else {"check every number": f"fastcollapse replay {path}{_factory_option(experiment)}"}
    )
    if path is not None and not results.finished:
        commands["resume"] = resume_command(results)
    return Section(
        name="results in memory" if results.path is None else results.path.name,
        title=words.title if words else f"{experiment.family} model, workflow {experiment.workflow.name}",
        source=words.source if words else "",
        note=words.note if words else "",
        verdict=_sentence(
            f"{comparison.verdict()}: {comparison.counts()}" if comparison else "no generation is finished"
        ),
        agrees=comparison.agrees if comparison else None,
        facts={**settings_of(results), **_origin(results)},
        figure=figure,
        figure_problem=problem,
        agreements=PanelTable(
            "Agreement with theory",
            _AGREEMENT_HEADER,
            [_row(one) for one in (comparison.agreements if comparison else ())],
        ),
        values=toml_lines(experiment.to_mapping()),
        text="" if words and words.changes else results.experiment_text,  # notes and sources of other values
        replay=commands,
        citations=citations_of(results),
        caption=caption,
        tables=tables,
        notes=[note.strip() for note in notes],
        sentences=sentences_of(results),
    )


def sweep_section(source: SweepFolder | CollectedSweep) -> Section:
    """Return the section of a sweep: its figure, and a line for each point, the worst agreement first."""
    sweep = source.sweep
    comparison = compare_sweep(source) if source.done() else None
    header, rows = comparison.cells() if comparison else ([], [])
    figure, caption, problem = "", list[str](), "no point is finished yet"
    if comparison:
        figure, caption, problem = _svg(lambda: draw_with_caption(source))
    axes = " x ".join(f"{' and '.join(axis.keys)} ({counted(len(axis), 'value')})" for axis in sweep.axes)
    words = sweep_words(source, sorted(source.done())) if comparison else None
    path = shlex.quote(str(source.path))
    commands = {"run it again": "fastcollapse sweep FILE.toml -o again, with all values above as FILE.toml"}
    if isinstance(source, SweepFolder) and comparison:
        worst = comparison.rows[0].point
        option = _factory_option(sweep[worst].experiment)
        commands[f"check every number of point {worst}"] = (
            f"fastcollapse collect {path} --point {worst} -o point-{worst}.h5 && "
            f"fastcollapse replay point-{worst}.h5{option}"
        )
    return Section(
        name=source.path.name,
        title=words.title if words else f"Sweep over {axes}",
        source=words.source if words else "",
        note=words.note if words else "",
        verdict=_sentence(comparison.verdict() if comparison else "no point is finished"),
        agrees=comparison.agrees if comparison else None,
        facts={
            "points": f"{len(rows):,} of {len(sweep):,} finished",
            "axes": axes,
            "seed": str(sweep.seed),
            "digest": sweep.digest,
        },
        figure=figure,
        figure_problem=problem,
        agreements=PanelTable("Agreement of each point with theory, the worst first", header, rows),
        values=sweep_toml(sweep.mapping),
        text="" if words and words.changes else sweep.text,
        replay=commands,
        citations=citations_of_sweep(source),
        caption=caption,
        notes=comparison.reason_lines() if comparison else [],
    )


def toml_lines(sections: Mapping[str, Any]) -> str:
    """Return the values of an experiment as TOML with dotted keys, from which the run can be made again.

    Examples
    --------
    >>> print(toml_lines({"truth": {"uniform": 10}, "workflow": {"name": "replace"}}))
    truth.uniform = 10
    workflow.name = "replace"
    """
    return "\n".join(f"{key} = {toml_value(value)}" for key, value in flat(sections).items())


def sweep_toml(mapping: Mapping[str, Any]) -> str:
    """Return the mapping of a sweep as TOML, from which the sweep can be run again.

    Examples
    --------
    >>> print(sweep_toml({"truth": {"uniform": 10}, "sweep": {"grid": {"workflow.n_samples": [5, 6]}, "seed": 1}}))
    truth.uniform = 10
    sweep = {grid = {"workflow.n_samples" = [5, 6]}, seed = 1}
    """
    plain = {name: section for name, section in mapping.items() if name != "sweep"}
    return f"{toml_lines(plain)}\nsweep = {toml_value(mapping['sweep'])}"


def _origin(results: RecordedRun) -> dict[str, str]:
    """Return seed, digest, machine and versions of a run."""
    made: Mapping[str, Any] = results.provenance
    facts = {
        "digest": results.digest,
        "created": f"{made.get('created', 'unknown')} on {made.get('processor', 'unknown')}, "
        f"{made.get('n_cores', '?')} cores",
        "versions": ", ".join(f"{name} {version}" for name, version in sorted(made.get("packages", {}).items())),
    }
    facts |= {f"data {name}": f"SHA-256 {digest}" for name, digest in results.inputs.items()}
    return facts


def _factory_option(experiment: Experiment) -> str:
    """Return the option that gives a replay the code that results only name; "" without any."""
    factory = experiment.to_mapping()["model"].get("factory")
    return f" --factory {shlex.quote(factory)}" if factory else ""


def _row(agreement: Agreement) -> list[str]:
    """Return the cells of an agreement."""
    score, place = agreement.largest
    scored = agreement.n_scores > 0
    if agreement.disagrees:
        agrees = "no"
    elif scored:
        agrees = "yes"
    else:
        agrees = f"{agreement.n_within:,} of {agreement.n_bounded:,} within bounds" if agreement.n_bounded else "-"
    without = agreement.n_unscored or ("all" if not scored and not agreement.n_bounded else "")
    return [
        agreement.name,
        f"{agreement.n_scores:,}",
        f"{score:.1f}" if scored else "-",
        place if scored else "-",
        agrees,
        str(without),
        agreement.reason,
    ]


def _sentence(text: str) -> str:
    return f"{capitalised(text)}."


def _figure_and_lines(results: RecordedRun) -> "tuple[Figure, str]":
    """Return the figure of a run, and what its lines and bands are."""
    plots = plots_of_figure([results])
    return draw_plots(plots, Look())[0], "\n".join(figure_lines(plots))


@drawing
def _svg(make: "Callable[[], tuple[Figure, str]]") -> tuple[str, list[str], str]:
    """Return a figure as an element of HTML and the lines of its caption, or "", none, and the reason."""
    import matplotlib as mpl  # start-up time

    try:
        with warnings.catch_warnings(), mpl.rc_context({"svg.fonttype": "none"}):
            warnings.simplefilter("ignore")  # the commands that draw figures warn
            drawn = io.StringIO()
            figure, caption = make()
            figure.savefig(drawn, format="svg", metadata={"Date": None, "Creator": None})
    except InputError as error:
        return "", [], str(error)
    text = drawn.getvalue()
    return text[text.index("<svg") :], caption.split("\n"), ""


def section_of(path: Path) -> Section:
    """Return the section of a results file, of the folder of a sweep, or of a collected sweep.

    Raises
    ------
    UnreadableResults
        The file is missing or damaged.
    """
    source = open_sweep(path)
    if source is not None:
        return sweep_section(source)
    return run_section(check_run(path, everything=False, checksums_required=False))
