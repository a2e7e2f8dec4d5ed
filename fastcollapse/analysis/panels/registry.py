"""The panels of a run, found by the name of its family."""

import dataclasses
import functools
import importlib
import importlib.util
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from fastcollapse.analysis.panels.family_panels import FamilyPanels
from fastcollapse.analysis.panels.panel import Panel
from fastcollapse.analysis.panels.published import published
from fastcollapse.analysis.panels.scores import unscored_curve
from fastcollapse.analysis.panels.stopped_runs import without_late_scores
from fastcollapse.errors import InputError, nearest
from fastcollapse.simulation.recorded_run import RecordedRun

# The most metrics without a panel of their family that a figure shows; tables show all.
_MOST_DRAWN_METRICS = 2


def find_panels(family: str) -> FamilyPanels | None:
    """Return the panels of a family, or None for a family without a module in this folder."""
    if importlib.util.find_spec(f"fastcollapse.analysis.panels.{family}") is None:
        return None
    panels = vars(importlib.import_module(f"fastcollapse.analysis.panels.{family}")).get("PANELS")
    return panels if isinstance(panels, FamilyPanels) else None


def panels_for(results: RecordedRun) -> FamilyPanels:
    """Return the panels of the family of a run; a family without a module has one panel for each recorded metric."""
    family_panels = find_panels(results.experiment.family)
    if family_panels is not None:
        return family_panels
    panels = {metric: functools.partial(metric_panel, metric) for metric in results.metrics}
    return FamilyPanels(panels, tuple(panels))


def panels_of(results: RecordedRun, generations: np.ndarray, names: Sequence[str] = ()) -> list[Panel]:
    """Return panels of a run.

    Parameters
    ----------
    generations : int64[B], 0 to the last one of the results.
    names : names of the panels; by default those of the recipe, or else those of the family.

    Raises
    ------
    InputError
        The family has no such panel, or the run has not recorded what the panel needs.
    """
    family, recipe = panels_for(results), results.recipe
    makers = family.makers(results)
    default = family.default_names(results)
    options = {} if recipe is None else recipe.to_mapping()
    requested = names or (recipe.panels if recipe is not None and recipe.panels else ())
    family.check_names(requested)
    panels: list[Panel] = []
    # Published points belong to the first panel of the recipe.
    first = next(iter((recipe.panels or default) if recipe is not None else ()), None)
    for name in requested or default:
        if name not in makers:
            raise InputError(f"recipe.panels must be of {', '.join(makers)} for this workflow, got {name!r}")
        try:
            new = makers[name](results, generations, options)
        except KeyError as error:
            if requested:
                raise InputError(f"run.record must have {error.args[0]} for the panel {name}") from None
        else:
            new = [new] if isinstance(new, Panel) else list(new)
            if name == first and len(new) == 1:
                new = [dataclasses.replace(new[0], points=published(results).points)]
            panels += new
    if not requested:
        own = (name for name in results.user_metrics if name not in makers)
        panels += [metric_panel(name, results, generations, options) for name in own]
    # The metrics of the default panels may not be recorded.
    panels = panels or [metric_panel(metric, results, generations, options) for metric in results.metrics]
    return without_late_scores(results, panels)


def panel_names(results: RecordedRun) -> list[str]:
    """Return the names of the panels of a run: those of its family, and its recorded metrics."""
    return list(dict.fromkeys((*panels_for(results).makers(results), *results.metrics)))


def named_panels(results: RecordedRun, generations: np.ndarray, name: str) -> list[Panel]:
    """Return the panels of a name: a panel of the family, or a recorded metric without theory.

    Raises
    ------
    InputError
        No panel has this name, or the run has not recorded what it needs.
    """
    if name in panels_for(results).makers(results):
        return panels_of(results, generations, (name,))
    if name in results.metrics:
        return [metric_panel(name, results, generations)]
    known = panel_names(results)
    raise InputError(f"panel must be one of {', '.join(known)}, got {name!r}{nearest(name, known)}")


def drawn_panels(results: RecordedRun, panels: Sequence[Panel]) -> list[Panel]:
    """Return the panels that a figure shows: all of a recipe or a family, but only the first metrics otherwise."""
    is_requested = results.recipe is not None and results.recipe.panels
    if is_requested or not all(panel.is_metric for panel in panels):
        return list(panels)
    return list(panels[:_MOST_DRAWN_METRICS])


def metric_panel(
    metric: str, results: RecordedRun, generations: np.ndarray, options: Mapping[str, Any] | None = None
) -> Panel:
    """Return the panel of a metric without theory; of further dimensions it shows the first entry.

    Parameters
    ----------
    options : those of a recipe, which no metric has.
    """
    variable, coordinates = results.variables[metric], results.coordinates
    values = results.metrics[metric][:, generations]
    values = values.reshape(*values.shape[:2], -1)[..., 0]
    first = ", ".join(f"{dim} = {coordinates[dim].values[0]:g}" for dim in variable.dims if dim in coordinates)
    title = variable.long_name + (f" at {first}" if first else "")
    label = f"{variable.long_name} ({variable.units})"
    return Panel(title, label, metric, unscored_curve(generations, values), is_metric=True)
