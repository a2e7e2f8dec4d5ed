"""Source, note and published points of the recipe of a run, which it shows if its parameters are those of the recipe.

A run has the text of its experiment file, and the values that it was run with. Its values may be other than those of
the text (`--set`), and the text may be an edited copy of a shipped recipe. Both are compared here, key by key. Keys of
`[run]` are free: seed, replicates and generations change no law, and the published points of the generations that a run
has hold for it.
"""

import functools
import itertools
import re
import tomllib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from fastcollapse.analysis.panels.schedules import cached_by_results
from fastcollapse.analysis.panels.text import short
from fastcollapse.config.dotted_keys import flat, overlap
from fastcollapse.datasets.shipped import recipes, shipped_digest, sweeps
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
# The words that mark settings and sources of recipes which come from no publication.
_OWN = "our own choice"


class Change(NamedTuple):
    """A key whose value is not that of the recipe, None for a key that one of them does not have.

    Parameters
    ----------
    origin : "published" if the value of the recipe is that of a publication, or "recipe" if it is our own choice.
    """

    key: str
    value: Any
    recipe: Any
    origin: str

    def text(self, name: str) -> str:
        """Return the name of the key and both values."""
        value, recipe = ("none" if one is None else short(one) for one in (self.value, self.recipe))
        return f"{name} = {value} ({self.origin} {recipe})"


class Points(NamedTuple):
    """Values read off a published figure: label, generations, values, and whether they are of other data."""

    label: str
    generations: tuple[int, ...]
    values: tuple[float, ...]
    other_data: bool = False


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

    Runs that differ from the recipe have no note, and their source is "after SOURCE, changed: KEY = VALUE (published
    VALUE)".
    """

    title: str
    source: str
    note: str
    changes: tuple[Change, ...] = ()

    @property
    def heading(self) -> str:
        """Title and source in one line."""
        return f"{self.title}, {self.source}" if self.source else self.title

    @property
    def changed_title(self) -> str:
        """The title, with the source of runs that differ from the recipe."""
        return self.heading if self.changes else self.title


class _Recipe(NamedTuple):
    """A recipe or a sweep: its section `[recipe]`, and the settings of each case or point.

    Parameters
    ----------
    own : dotted keys of our own choice, see `own_choices`.
    is_partial : whether keys that the settings lack are free, and not those of the defaults.
    """

    section: Mapping[str, Any]
    cases: Sequence[Settings]
    own: Collection[str] = ()
    is_partial: bool = False

    def origin(self, key: str) -> str:
        """Whether the value of a key is that of a publication; see `Change`."""
        source = self.section.get("source")
        is_own = source is None or _OWN in source or any(overlap(key, own) for own in self.own)
        return "recipe" if is_own else "published"


def recipe_words(cases: Sequence[RecordedRun]) -> RecipeWords | None:
    """Return the words of the recipe of one or several runs, None without a recipe."""
    recipe = cases[0].recipe
    if recipe is None:
        return None
    changes = [change for results in cases for change in published(results).changes]
    if not changes:
        return RecipeWords(recipe.title, recipe.source or "", recipe.note or "")
    texts = changed_texts(changes)
    if len(texts) > _MOST_VALUES:
        texts = list(dict.fromkeys(_names(changes).values()))
    after = f"after {recipe.source}, " if recipe.source else ""
    return RecipeWords(recipe.title, f"{after}changed: {', '.join(texts)}", "", tuple(changes))


def changed_texts(changes: Sequence[Change]) -> list[str]:
    """Return changes in words, each once: "n_samples = 20 (published 10)"."""
    names = _names(changes)
    return list(dict.fromkeys(change.text(names[change.key]) for change in changes))


def _names(changes: Sequence[Change]) -> dict[str, str]:
    """Return the names of changed keys: without their section, unless two of them are equal without it."""
    keys = dict.fromkeys(change.key for change in changes)
    names = [key.partition(".")[2] for key in keys]
    return {key: key if names.count(name) > 1 else name for key, name in zip(keys, names, strict=True)}


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
    changes = [*changes, *_changed_data(results.inputs)]
    if changes:
        return Published(tuple(changes))
    shown = [_points(points, results.last) for points, case in read_off if int(points.get("case", 1)) == case]
    return Published(points=tuple(points for points in shown if points.generations))


def _changed_data(inputs: Mapping[str, str]) -> Iterator[Change]:
    """Yield the shipped data files that a run has read with other contents: a file of the same name came first."""
    for path, digest in inputs.items():
        shipped = shipped_digest(path)
        if shipped is not None and digest != shipped:
            yield Change(f"inputs.{path}", f"SHA-256 {digest[:8]}", f"SHA-256 {shipped[:8]}", "recipe")


def _points(points: Mapping[str, Any], last: int) -> Points:
    """Return points up to a generation."""
    pairs = [pair for pair in zip(points["generations"], points["values"], strict=True) if pair[0] <= last]
    generations, values = zip(*pairs, strict=True) if pairs else ((), ())
    if points.get("other_data"):
        label = f"{points.get('source', 'published')}, other data ({points['label']})"
        return Points(label, generations, values, other_data=True)
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
    differences = (_differences(mine, {**case, **theirs}, recipe) for case in recipe.cases)
    return min(enumerate(differences, 1), key=lambda numbered: len(numbered[1]))


def _differences(mine: Settings, theirs: Settings, recipe: _Recipe) -> list[Change]:
    """Return the keys that differ, in their order."""
    keys = theirs if recipe.is_partial else dict.fromkeys((*mine, *theirs))
    pairs = [(key, mine.get(key), theirs.get(key)) for key in keys]
    return [Change(key, own, other, recipe.origin(key)) for key, own, other in pairs if own != other]


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

    A text that is refused, because `--set` supplies a key that it lacks, or because it is that of another version, has
    only the values that it writes.
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
        written = {name: table for name, table in mapping.items() if name not in ("run", "recipe", "sweep")}
        return _Recipe(mapping["recipe"], [flat(written)], own_choices(text), is_partial=True)
    experiments = map(as_version_0_1, experiments) if is_version_0_1 else experiments
    return _Recipe(mapping["recipe"], [_settings(experiment) for experiment in experiments], own_choices(text))


def own_choices(text: str) -> dict[str, str]:
    """Return the dotted keys of a recipe whose lines have the comment "our own choice", each with the rest of it.

    Examples
    --------
    >>> own_choices("[run]\\nseed = 1  # our own choice\\nn_generations = 10  # our own choice; published: 1,000")
    {'run.seed': '', 'run.n_generations': 'published: 1,000'}
    """
    own, section = dict[str, str](), ""
    for line in text.splitlines():
        if header := re.match(r"\[\[?([\w.]+)\]", line):
            section = "" if header[1] == "recipe.cases" else f"{header[1]}."
        elif found := re.match(rf'"?([\w.]+)"?\s*=.*#.*{_OWN}(.*)', line):
            own.setdefault(section + found[1], found[2].strip(" ;:,"))
    return own


def _settings(experiment: Experiment) -> Settings:
    """Return the values of an experiment by dotted key, without those of `[run]`."""
    return flat({name: section for name, section in experiment.to_mapping().items() if name != "run"})
