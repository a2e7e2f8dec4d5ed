"""Reproduction of figures."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any, overload

from fastcollapse.analysis.gallery import Gallery
from fastcollapse.analysis.reproduction import Reproduction
from fastcollapse.analysis.reproduction import reproduce as run_recipes
from fastcollapse.api.results import Results
from fastcollapse.datasets.shipped import recipes
from fastcollapse.errors import InputError


@overload
def reproduce(
    names: str,
    values: Mapping[str, Any] | None = None,
    path: str | Path | None = None,
    *,
    keep: str | Path | None = None,
    overwrite: bool = False,
) -> Reproduction: ...


@overload
def reproduce(
    names: list[str] | tuple[str, ...],
    values: Mapping[str, Any] | None = None,
    path: str | Path | None = None,
    *,
    keep: str | Path | None = None,
    overwrite: bool = False,
) -> list[Reproduction]: ...


def reproduce(
    names: str | list[str] | tuple[str, ...],
    values: Mapping[str, Any] | None = None,
    path: str | Path | None = None,
    *,
    keep: str | Path | None = None,
    overwrite: bool = False,
) -> Reproduction | list[Reproduction]:
    """Run recipes, as published or with other values, and compare them with theory.

    Parameters
    ----------
    names : of recipes; a list, which may be empty for all recipes, or one name.
    values : values by dotted key in place of those of the recipes, {"workflow.n_samples": 20}. The cases of a recipe
        must not set these keys. What was published for other values is then left out, and title and line name the
        change.
    path : folder for the figures, NAME.png each with its caption, in a folder that exists. For all recipes, without
        other values, it gets the page index.md about them too, with the sweeps that `keep` has in folders sweep-NAME.
    keep : folder for the results files, NAME.h5, in a folder that exists; those that are finished are not run again.
        By default results are kept in memory.
    overwrite : whether existing figures and captions, and the page, are replaced.

    Returns
    -------
    The reproduction, a list of them for a list of names. It has the results, `cases`; the figure, `plot()`; the
    agreement with theory, `agrees` and `agreements`; and `line()`, which `str` returns.

    Raises
    ------
    InputError
        A name is not that of a recipe, a recipe refuses a value, or a figure exists; before anything runs. Or a
        results file is that of another experiment.

    Examples
    --------
    >>> reproduce("sur-bern", {"run.n_replicates": 50}).cases[0].n_replicates
    50
    """
    if not isinstance(names, str | list | tuple):
        raise InputError(f"names must be a name or a list of names of recipes, got {names!r}")
    single = isinstance(names, str)
    chosen = [names] if isinstance(names, str) else list(names) or list(recipes())
    runs = run_recipes(chosen, values, keep)
    gallery = None if path is None else Gallery(path, chosen, not single and not names and not values, overwrite)
    done = []
    for one in runs:
        done.append(dataclasses.replace(one, cases=[Results(case.reader) for case in one.cases]))
        if gallery is not None:
            gallery.add(one)
    if gallery is not None:
        gallery.finish(keep)
    return done[0] if single else done
