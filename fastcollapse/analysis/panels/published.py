"""Source, note and published points of the recipe of a run, which it shows if its parameters are those of the recipe.

A run has the text of its experiment file, and the values that it was run with. Its values may be other than those of
the text (`--set`), and the text may be an edited copy of a shipped recipe. Both are compared here, key by key. Keys of
`[run]` are free: seed, replicates and generations change no law.
"""

import functools
import itertools
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from fastcollapse.analysis.panels.schedules import cached_by_results
from fastcollapse.analysis.panels.text import short
from fastcollapse.config.dotted_keys import flat
from fastcollapse.datasets.shipped import recipes, sweeps
from fastcollapse.errors import InputError
from fastcollapse.simulation.experiment import Experiment
from fastcollapse.simulation.recorded_run import RecordedRun
from fastcollapse.simulation.version_0_1 import as_version_0_1
from fastcollapse.sweeps.points import CHECKED, Sweep

# Flat settings of an experiment: dotted key -> value.
Settings = Mapping[str, Any]

# Keys that two recipes of one publication share, and keys that decide what a figure shows.
_IDENTITY = ("title", "source", "note", "read_off")
_SHOWN = ("panels", "eps", "symbol", "samples", "ridge")
# The most changed keys whose values are named.
_MOST_VALUES = 3


class Change(NamedTuple):
    """A key whose value is not that of the recipe, None for a key that one of them does not have."""

    key: str
    value: Any
    recipe: Any

    @property
    def text(self) -> str:
        """The key and both values."""
        value, recipe = ("none" if one is None else short(one) for one in (self.value, self.recipe))
        return f"{self.key} = {value} (recipe: {recipe})"


class Points(NamedTuple):
    """Values read off a published figure: label, generations and values."""

    label: str
    generations: tuple[int, ...]
    values: tuple[float, ...]


class Published(NamedTuple):
    """What a run may show of a publication.

    Parameters
    ----------
    changes : the keys that differ from the recipe; if there are any, nothing published is shown.
    points : values read off the published figure, for the case and the generations of the run.
    """

    changes: tuple[Change, ...] = ()
    points: tuple[Points, ...] = ()


class RecipeWords(NamedTuple):
    """Title, source and note of a recipe, each "" if there is none.

    The title names the changed keys of runs that differ from the recipe; then there is no source, and no note.
    """

    title: str
    source: str
    note: str

    @property
    def heading(self) -> str:
        """Title and source in one line."""
        return f"{self.title}, {self.source}" if self.source else self.title


class _Recipe(NamedTuple):
    """A recipe or a sweep: its section `[recipe]`, and the settings of each case or point."""

    section: Mapping[str, Any]
    cases: Sequence[Settings]


def recipe_words(cases: Sequence[RecordedRun]) -> RecipeWords | None:
    """Return the words of the recipe of one or several runs, None without a recipe."""
    recipe = cases[0].recipe
    if recipe is None:
        return None
    changes = {change.key: change for results in cases for change in published(results).changes}.values()
    if not changes:
        return RecipeWords(recipe.title, recipe.source or "", recipe.note or "")
    named = [change.text if len(changes) <= _MOST_VALUES else change.key for change in changes]
    left_out = "; its source, note and points are left out" if recipe.source or recipe.note or recipe.read_off else ""
    return RecipeWords(f"{recipe.title} [recipe changed in {', '.join(named)}{left_out}]", "", "")


@cached_by_results
def published(results: RecordedRun) -> Published:
    """Return what a run may show of the publication of its recipe."""
    if results.recipe is None:
        return Published()
    own = _read(results.experiment_text, not results.inputs)
    settings = _settings(results.experiment)
    number, changes = _nearest(own, settings)
    read_off = [(points, number) for points in own.section.get("read_off", ())]
    relatives = [(*_nearest(recipe, settings, own.section), recipe) for recipe in _relatives(own.section)]
    if relatives and not changes:
        number, changes, recipe = min(relatives, key=lambda relative: len(relative[1]))
        theirs = recipe.section.get("read_off", ())
        # A copy may have other cases: points of the shipped recipe belong to the case that the run equals there.
        read_off = [(points, number if points in theirs else own_number) for points, own_number in read_off]
    if changes:
        return Published(tuple(changes))
    shown = [_points(points, results.last) for points, case in read_off if int(points.get("case", 1)) == case]
    return Published(points=tuple(points for points in shown if points.generations))


def _points(points: Mapping[str, Any], last: int) -> Points:
    """Return points up to a generation."""
    pairs = [pair for pair in zip(points["generations"], points["values"], strict=True) if pair[0] <= last]
    generations, values = zip(*pairs, strict=True) if pairs else ((), ())
    return Points(f"{points['label']}, {points.get('source', 'read off the published figure')}", generations, values)


def _nearest(recipe: _Recipe, settings: Settings, section: Settings | None = None) -> tuple[int, list[Change]]:
    """Return the number of the case, from 1, with the fewest differences, and these.

    Parameters
    ----------
    section : a section `[recipe]` whose keys are compared too, or None.
    """
    shown = [] if section is None else [f"recipe.{key}" for key in _SHOWN]
    mine = {**settings, **{key: (section or {}).get(key.partition(".")[2]) for key in shown}}
    theirs = {key: recipe.section.get(key.partition(".")[2]) for key in shown}
    differences = (_differences(mine, {**case, **theirs}) for case in recipe.cases)
    return min(enumerate(differences, 1), key=lambda numbered: len(numbered[1]))


def _differences(mine: Settings, theirs: Settings) -> list[Change]:
    """Return the keys that differ, in their order."""
    keys = dict.fromkeys((*mine, *theirs))
    return [Change(key, mine.get(key), theirs.get(key)) for key in keys if mine.get(key) != theirs.get(key)]


def _relatives(section: Mapping[str, Any]) -> Iterator[_Recipe]:
    """Yield the shipped recipes and sweeps that share title, source, note or points with a section `[recipe]`."""
    for text, theirs in _shipped():
        if any(key in section and section[key] == theirs.get(key) for key in _IDENTITY):
            yield _read(text)


@functools.cache
def _shipped() -> list[tuple[str, Mapping[str, Any]]]:
    """Return the texts of the shipped recipes and sweeps, each with its section `[recipe]`."""
    paths = itertools.chain(recipes().values(), sweeps().values())
    texts = [path.read_text(encoding="utf-8") for path in paths]
    return [(text, tomllib.loads(text).get("recipe", {})) for text in texts]


@functools.lru_cache(maxsize=64)
def _read(text: str, is_version_0_1: bool = False) -> _Recipe:
    """Return the recipe of a file with an experiment or a sweep. The first points of a sweep are its cases.

    A text that is refused, for example that of another version, is a recipe without values: every key differs.
    """
    mapping = tomllib.loads(text)
    experiments: Iterable[Experiment]
    try:
        if "sweep" in mapping:
            sweep = Sweep(mapping, text=text, checked=True)
            experiments = [sweep[i].experiment for i in range(min(len(sweep), CHECKED))]
        else:
            experiments = Experiment.from_mapping(mapping, text=text).cases()
    except InputError:
        return _Recipe(mapping["recipe"], [{}])
    experiments = map(as_version_0_1, experiments) if is_version_0_1 else experiments
    return _Recipe(mapping["recipe"], [_settings(experiment) for experiment in experiments])


def _settings(experiment: Experiment) -> Settings:
    """Return the values of an experiment by dotted key, without those of `[run]`."""
    return flat({name: section for name, section in experiment.to_mapping().items() if name != "run"})
