"""Reproduction of published figures."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any, overload

from fastcollapse.analysis.figure_files import save_figure
from fastcollapse.analysis.reproduction import Reproduction, figure_paths, reproducible
from fastcollapse.analysis.reproduction import reproduce as run_recipes
from fastcollapse.api.results import Results
from fastcollapse.config.output_paths import make_output_folder
from fastcollapse.errors import InputError


@overload
def reproduce(names: str, values: Mapping[str, Any] | None = None, path: str | Path | None = None) -> Reproduction: ...


@overload
def reproduce(
    names: list[str] | tuple[str, ...], values: Mapping[str, Any] | None = None, path: str | Path | None = None
) -> list[Reproduction]: ...


def reproduce(
    names: str | list[str] | tuple[str, ...], values: Mapping[str, Any] | None = None, path: str | Path | None = None
) -> Reproduction | list[Reproduction]:
    """Run recipes in memory, as published or with other values, and compare them with theory.

    Parameters
    ----------
    names : of recipes; a list, which may be empty for all recipes of published figures, or one name.
    values : values by dotted key in place of those of the recipes, {"workflow.n_samples": 20}. The cases of a recipe
        must not set these keys. What was published for other values is then left out, and title and line name the
        change.
    path : folder for the figures, NAME.png each with its caption, in a folder that exists; nothing is replaced.

    Returns
    -------
    The reproduction, a list of them for a list of names. It has the results, `cases`; the figure, `plot()`; the
    agreement with theory, `agrees` and `agreements`; and `line()`, which `str` returns.

    Raises
    ------
    InputError
        A name is not that of a recipe, a recipe refuses a value, or a figure exists; before anything runs.

    Examples
    --------
    >>> reproduce("sur-bern", {"run.n_replicates": 50}).cases[0].n_replicates
    50
    """
    if not isinstance(names, str | list | tuple):
        raise InputError(f"names must be a name or a list of names of recipes, got {names!r}")
    single = isinstance(names, str)
    chosen = [names] if isinstance(names, str) else list(names) or list(reproducible())
    experiments = run_recipes(chosen, values)
    figures = figure_paths(chosen, path) if path is not None else {}
    done = []
    for one in experiments:
        done.append(dataclasses.replace(one, cases=[Results(case.reader) for case in one.cases]))
        if path is not None:
            make_output_folder(Path(path))
            save_figure(done[-1].cases, figures[one.name])
    return done[0] if single else done
