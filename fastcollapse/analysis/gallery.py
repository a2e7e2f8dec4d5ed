"""The gallery: the figures of recipes and sweeps in a folder, and a page with their commands, verdicts and sources."""

import io
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from fastcollapse.analysis.agreement import Z_LIMIT, agreement_of
from fastcollapse.analysis.changed_example import changed_example
from fastcollapse.analysis.figure_files import save_figure, write_figure
from fastcollapse.analysis.panels.published import own_choices
from fastcollapse.analysis.panels.text import counted
from fastcollapse.analysis.reproduction import Reproduction, with_text
from fastcollapse.analysis.sweep_figures import draw_with_caption
from fastcollapse.config.output_paths import FIGURES, caption_path, check_output_folder, make_output_folder
from fastcollapse.datasets.recipe_files import find_shipped
from fastcollapse.datasets.shipped import sweeps
from fastcollapse.errors import InputError
from fastcollapse.simulation.recorded_run import RecordedRun
from fastcollapse.storage.atomic_write import Rename, write_bytes
from fastcollapse.sweeps.folder import SweepFolder

PAGE = "index.md"
# Folder of the results of a sweep among those of recipes, before its name.
_SWEEP = "sweep-"
# Colours of the palette of an image.
_COLOURS = 256
# The most reasons why points have no score.
_MOST_REASONS = 4
# Upper limits of a duration in seconds, and its words: the page of the next run has the same.
_DURATIONS = ((10, "less than ten seconds"), (60, "less than a minute"), (600, "less than ten minutes"))
_INTRODUCTION = """# Gallery

One command makes this page and its figures: `fastcollapse reproduce --all --keep RESULTS -o FOLDER`. It adds the
sweeps whose folders are `RESULTS/sweep-NAME`.

Each entry has the figure, the verdict of the comparison with exact theory, the source, the settings of our own choice,
the duration of the simulation, the command that makes the figure, and a change to begin with. A score is a z-score
against exact theory, and it agrees if |z| is at most {limit:g}; points that are compared with bounds alone have none.
`fastcollapse recipes NAME` prints the file of an entry. The Python code needs `import fastcollapse`, and that of a
sweep `from fastcollapse.sweeps import load_sweep`.
"""
_GROUPS = {
    "published": ("Published figures", "These recipes have the setting of a publication."),
    "own": ("Own settings", "These recipes belong to no publication."),
    "sweep": ("Sweeps", "These grids have a point for each combination of their values."),
}


@dataclass(frozen=True)
class Entry:
    """One figure of the gallery.

    Parameters
    ----------
    name : of the recipe or sweep.
    group : a key of `_GROUPS`.
    figure : file name of the figure.
    verdict : agreement with theory.
    seconds : duration of the simulation, None where it is not known.
    """

    name: str
    group: str
    figure: str
    verdict: str
    seconds: float | None

    @property
    def heading(self) -> str:
        """The name; a recipe and a sweep may have the same."""
        return f"{self.name} (sweep)" if self.group == "sweep" else self.name

    def text(self) -> str:
        """Return the entry as Markdown."""
        kind = "sweep" if self.group == "sweep" else "recipe"
        shipped, change = find_shipped(self.name, kind), changed_example(self.name, kind)
        own = own_choices(shipped.text)
        chosen = [f"`{key}`" + (f" ({note})" if note else "") for key, note in own.items() if key != "run.seed"]
        facts = [f"Verdict: {self.verdict}.", f"Source: {shipped.source or 'our own settings'}."]
        facts += [f"Note: {shipped.note}"] if shipped.note else []
        facts += [f"Our own choice: {', '.join(chosen)}."] if chosen else []
        facts += [f"Time: {_duration(self.seconds)}."] if self.seconds is not None else []
        parts = [f"### {self.heading}", f"**{shipped.title or shipped.description}**", f"![{self.name}]({self.figure})"]
        parts += ["\n".join(f"- {fact}" for fact in facts)]
        return "\n\n".join([*parts, _COMMANDS[kind].format(name=self.name, key=change.key, value=change.value)])


_COMMANDS = {
    "recipe": """```
fastcollapse reproduce {name} -o figures
fastcollapse reproduce {name} --set {key}={value} -o changed
```

```python
fastcollapse.reproduce("{name}", {{"{key}": {value}}}).plot()
```
""",
    "sweep": """```
fastcollapse sweep {name} -o {name} && fastcollapse plot {name}
fastcollapse sweep {name} --set {key}={value} -o changed && fastcollapse plot changed
```

```python
fastcollapse.run_sweep(load_sweep("{name}", {{"{key}": {value}}}), "changed")
fastcollapse.open_sweep("changed").plot()
```
""",
}


class Gallery:
    """Figures of recipes in a folder, and the page about all of them.

    Parameters
    ----------
    folder : in a folder that exists.
    names : of the recipes.
    has_page : whether there is a page.
    replace : whether existing figures, and the page, are replaced.

    Raises
    ------
    InputError
        The folder cannot be made, or a file exists; before anything runs.
    """

    def __init__(self, folder: str | Path, names: Iterable[str], has_page: bool, replace: bool = False) -> None:
        self._folder, self._has_page, self._replace = Path(folder), has_page, replace
        self._entries: list[Entry] = []
        check_output_folder(self._folder)
        figures = [self._figure(name) for name in names]
        paths = [path for figure in figures for path in (figure, caption_path(figure))]
        for path in [*paths, *([self._folder / PAGE] if has_page else [])]:
            if os.path.lexists(path) and not replace:
                raise InputError(f"{path} already exists")

    def add(self, reproduction: Reproduction) -> None:
        """Draw the figure of a recipe."""
        name, cases = reproduction.name, reproduction.cases
        make_output_folder(self._folder)
        save_figure(cases, self._figure(name), self._replace)
        reduce_colours(self._figure(name))
        group = "own" if find_shipped(name, "recipe").source is None else "published"
        words = verdict_of(cases)
        self._entries.append(Entry(name, group, self._figure(name).name, words, reproduction.seconds))

    def finish(self, keep: str | Path | None = None) -> None:
        """Draw the sweeps whose folders are among the kept results, and write the page, if there is one."""
        if not self._has_page:
            return
        for name, source in _kept_sweeps(keep):
            figure = self._figure(f"{_SWEEP}{name}")
            write_figure(*draw_with_caption(source), figure, self._replace)
            reduce_colours(figure)
            words = verdict_of(source.results(point) for point in sorted(source.done()))
            self._entries.append(Entry(name, "sweep", figure.name, words, None))
        write_bytes(self._folder / PAGE, page(self._entries).encode(), Rename(replace=self._replace))

    def _figure(self, name: str) -> Path:
        return self._folder / f"{name}{FIGURES[0]}"


def page(entries: Sequence[Entry]) -> str:
    """Return the page of the gallery as Markdown."""
    parts = [_INTRODUCTION.format(limit=Z_LIMIT)]
    for group, (heading, words) in _GROUPS.items():
        own = [entry.text() for entry in entries if entry.group == group]
        parts += [f"## {heading}\n\n{words}\n", *own] if own else []
    return "\n".join(parts)


def verdict_of(runs: Iterable[RecordedRun]) -> str:
    """Return in one line how many points of runs agree with theory, and why others are not compared."""
    agreements = [agreement for results in runs for agreement in agreement_of(results)]
    n_scores, n_bounded = sum(one.n_scores for one in agreements), sum(one.n_bounded for one in agreements)
    n_wrong = sum(len(one.disagrees) for one in agreements)
    reasons = Counter[str]()
    for one in agreements:
        for reason, n in one.reasons.items():
            reasons[_short(reason)] += n
    parts = []
    if n_wrong:
        parts.append(f"{counted(n_wrong, 'point')} of {n_scores + n_bounded:,} disagree with theory")
    elif n_scores:
        parts.append("the only score agrees" if n_scores == 1 else f"all {n_scores:,} scores agree")
    if n_scores:
        parts[-1] += f", largest |z| {max(one.largest[0] for one in agreements):.1f}"
    if n_bounded:
        n_within = sum(one.n_within for one in agreements)
        parts.append(f"compared with bounds alone: {n_within:,} of {n_bounded:,} points within them")
    shown = [f"{reason} ({n:,})" for reason, n in reasons.most_common(_MOST_REASONS)]
    shown += ["others"] if len(reasons) > len(shown) else []
    parts += [f"not scored: {'; '.join(shown)}"] if shown else []
    return "; ".join(parts) or "a picture, without a score"


def reduce_colours(figure: Path) -> None:
    """Replace an image by one of a palette, a third of its size."""
    from PIL import Image  # a dependency of Matplotlib; start-up time

    drawn = io.BytesIO()
    with Image.open(figure) as image:
        image.convert("RGB").quantize(_COLOURS, dither=Image.Dither.NONE).save(drawn, "PNG", optimize=True)
    write_bytes(figure, drawn.getvalue(), Rename(replace=True))


def _short(reason: str) -> str:
    """Return a reason without its numbers, which differ between the cases of a recipe."""
    if reason.endswith("of the asymptotic one"):
        return "asymptotic theory alone"
    return reason.partition(", here")[0]


def _duration(seconds: float) -> str:
    return next((words for limit, words in _DURATIONS if seconds < limit), "more than ten minutes")


class _KeptSweep(SweepFolder):
    """Folder of a shipped sweep, with the present text of the sweep: titles and notes may have changed since it ran."""

    def __init__(self, name: str, path: Path) -> None:
        super().__init__(path)
        self._text = find_shipped(name, "sweep").text

    def results(self, index: int) -> RecordedRun:
        """Return the results of a point."""
        return with_text(super().results(index), self._text)


def _kept_sweeps(keep: str | Path | None) -> Iterator[tuple[str, _KeptSweep]]:
    """Yield the shipped sweeps that have a folder among the kept results."""
    if keep is None:
        return
    for name in sweeps():
        folder = Path(keep) / f"{_SWEEP}{name}"
        if os.path.isdir(folder):
            yield name, _KeptSweep(name, folder)
