"""Shipped experiments and sweeps by name, with what each reproduces."""

import re
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from fastcollapse.config.fields import show
from fastcollapse.datasets.shipped import describe_recipe, recipes, sweeps
from fastcollapse.errors import InputError, nearest

_KINDS = {"recipe": recipes, "sweep": sweeps}
_PAPER = re.compile(r"arXiv:(\d+\.\d+)")


class Shipped(NamedTuple):
    """A shipped experiment or sweep.

    Parameters
    ----------
    kind : "recipe" or "sweep".
    description : the first line of the file.
    title, source, note : of its section `[recipe]`, None for a file without them.
    """

    name: str
    kind: str
    path: Path
    description: str
    family: str
    title: str | None
    source: str | None
    note: str | None

    @property
    def text(self) -> str:
        """The text of the file."""
        return self.path.read_text(encoding="utf-8")


def shipped(source: str = "") -> list[Shipped]:
    """Return the shipped experiments, and then the shipped sweeps, each in the order of their names.

    Parameters
    ----------
    source : a part of the source, in upper or lower case, such as "2402.07712"; "" for all.

    Raises
    ------
    InputError
        No source has this part.

    Examples
    --------
    >>> [(one.kind, one.name) for one in shipped("2602.16065")]
    [('recipe', 'crt-kde'), ('sweep', 'crt-kde')]
    """
    everything = [_shipped(kind, path) for kind, paths in _KINDS.items() for path in paths().values()]
    found = [one for one in everything if source.lower() in (one.source or "").lower()] if source else everything
    if not found:
        papers = {paper for one in everything for paper in _PAPER.findall(one.source or "")}
        hint = nearest(source.rpartition(":")[2], papers) or "; one is '2412.17646'"
        raise InputError(f"source must be a part of the source of a recipe, got {show(source)}{hint}")
    return found


def find_shipped(name: str, *kinds: str) -> Shipped:
    """Return a shipped experiment or sweep.

    Parameters
    ----------
    kinds : "recipe" or "sweep", in the order in which they are searched; by default recipes and then sweeps.

    Raises
    ------
    InputError
        There is none of this name.

    Examples
    --------
    >>> find_shipped("sur-gua")
    Traceback (most recent call last):
    fastcollapse.errors.InputError: recipe must be a name that `fastcollapse recipes` lists, got 'sur-gua' (did you \
mean 'sur-gau'?)
    """
    for kind in kinds or _KINDS:
        if name in _KINDS[kind]():
            return _shipped(kind, _KINDS[kind]()[name])
    names = [known for kind in kinds or _KINDS for known in _KINDS[kind]()]
    raise InputError(f"{(kinds or ('recipe',))[0]} must be {unlisted(name, names)}")


def unlisted(name: str, names: Iterable[str], others: str = "") -> str:
    """Return what the name of a recipe or a sweep must be, and the nearest name, as the end of a message.

    Parameters
    ----------
    others : what it may be besides, such as ", or a .toml file".
    """
    return f"a name that `fastcollapse recipes` lists{others}, got {name!r}{nearest(name, names)}"


def _shipped(kind: str, path: Path) -> Shipped:
    mapping = tomllib.loads(path.read_text(encoding="utf-8"))
    recipe, family = mapping.get("recipe", {}), mapping.get("model", {}).get("family", "discrete")
    words = (recipe.get(key) for key in ("title", "source", "note"))
    return Shipped(path.stem, kind, path, describe_recipe(path), family, *words)
