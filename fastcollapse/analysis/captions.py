"""Captions of figures: what a reader needs beside the picture."""

import dataclasses
import re
from collections.abc import Sequence

from fastcollapse.analysis.agreement import verdict
from fastcollapse.analysis.bands import ALL, ERRORS, MIDDLE
from fastcollapse.analysis.comparison import Comparison, compare
from fastcollapse.analysis.figure_plots import FigurePlots, described_plots
from fastcollapse.analysis.figure_words import title_of, truths_of
from fastcollapse.analysis.panels.published import recipe_words
from fastcollapse.analysis.panels.text import capitalised, counted
from fastcollapse.analysis.words import plain, settings, source_words, value_words
from fastcollapse.config.dotted_keys import flat
from fastcollapse.simulation.recorded_run import RecordedRun

_BANDS = {
    ERRORS: "the mean plus and minus two standard errors",
    MIDDLE: "the tenth to the ninetieth percentile of the replicates",
    ALL: "the smallest to the largest replicate, where few of them make the mean",
}

# Names of people that a title of a plot begins with.
_NAMES = ("Wasserstein",)
# The first word of a title, which is no abbreviation, symbol or function.
_WORD = re.compile(r"[A-Z]([a-z]+(?!\()\b|-)")


def caption_of(figure: FigurePlots) -> str:
    """Return the caption of a figure, a line for each thing it says.

    It has the title, the source, what was run, the note of the recipe, what lines and bands are, and the verdict.
    """
    cases = figure.cases
    words, results = recipe_words(cases), cases[0]
    experiment = results.experiment
    lines = [f"{plain(title_of(cases))}."]
    if words is not None:
        lines.append(f"Source: {plain(source_words(words))}." if words.source else "Own settings.")
    lines.append(f"{_run_text(cases)}.")
    if words is None:
        names = dict.fromkeys(value_words("workflow.name", one.experiment.workflow.name) for one in cases)
        maps = flat(experiment.sampling.to_mapping(), "sampling.") if experiment.sampling else {}
        lines.append(f"Truth: {'; '.join(truths_of(cases))}.")
        lines.append(plain(f"Workflow {'; '.join([', '.join(names), *([settings(maps)] if maps else [])])}."))
    if words is not None and words.note:
        lines.append(words.note)
    lines += figure_lines(figure)
    if all(one.n_replicates > 1 for one in cases):
        comparison = compare(cases)
        largest = comparison.largest
        scores = (
            f": {counted(comparison.n_scored, 'scored point')}, largest |z| {abs(largest.z):.1f}" if largest else ""
        )
        lines.append(f"{capitalised(_verdict_in_words(comparison))}{scores}.")
    return "\n".join(lines)


def figure_lines(figure: FigurePlots) -> list[str]:
    """Return what the lines and bands of a figure are; see `caption_of`."""
    return look_lines(*described_plots(figure.plots))


def look_lines(bands: Sequence[str], notes: Sequence[str], has_theory: bool, has_distances: bool) -> list[str]:
    """Return what lines and bands of a figure are.

    Parameters
    ----------
    bands : names of its bands.
    notes : of its panels.
    has_theory, has_distances : whether theory, and distances to it, are drawn.
    """
    lines = ["Solid lines and marks: simulation." + (" Broken lines: theory." if has_theory else "")]
    meanings = dict.fromkeys(_BANDS.get(band, f"the {band}") for band in bands)
    if meanings:
        lines.append(f"Bands and bars: {'; '.join(meanings)}.")
    if has_distances:
        lines.append("Lower axes: z-scores of the simulation against theory, with a band of plus and minus two.")
    return [*lines, *dict.fromkeys(notes)]


def _run_text(cases: Sequence[RecordedRun]) -> str:
    """Return replicates, generations and seeds of runs."""
    seeds = sorted({one.experiment.run.seed or 0 for one in cases})
    shown = f"seed {seeds[0]}" if len(seeds) == 1 else f"seeds {seeds[0]} to {seeds[-1]}"
    sizes = dict.fromkeys(
        f"{counted(one.n_replicates, 'replicate')} of {counted(one.last, 'generation')}" for one in cases
    )
    n_cases = f"{counted(len(cases), 'run')}, " if len(cases) > 1 else ""
    return f"{n_cases}{' or '.join(sizes)}, {shown}"


def _verdict_in_words(comparison: Comparison) -> str:
    """Return the verdict with metrics named by the titles of their plots, which a reader of the figure sees."""
    titles: dict[str, str] = {}
    for plot in comparison.plots:
        titles.setdefault(plot[0].metric, plot[0].panel.partition(",")[0])
    unique = {name: title for name, title in titles.items() if list(titles.values()).count(title) == 1}
    words = {name: _within_sentence(title) for name, title in unique.items()}
    return verdict(
        [
            dataclasses.replace(one, name=words.get(one.name, _within_sentence(one.name)))
            for one in comparison.agreements
        ]
    )


def _within_sentence(title: str) -> str:
    """Return a title with a small first letter, but for an abbreviation, a symbol or a name.

    Examples
    --------
    >>> [_within_sentence(title) for title in ("Squared error", "N-grams alive", "Wasserstein-1 distance", "T = 60")]
    ['squared error', 'n-grams alive', 'Wasserstein-1 distance', 'T = 60']
    """
    is_word = _WORD.match(title) and not title.startswith(_NAMES)
    return f"{title[0].lower()}{title[1:]}" if is_word else title
