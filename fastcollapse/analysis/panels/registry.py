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
from fastcollapse.errors import InputError
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
    panels = {metric: functools.partial(_metric_panel, metric) for metric in results.metrics}
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
    # The metrics of the default panels may not be recorded.
    panels = panels or [_metric_panel(metric, results, generations, options) for metric in results.metrics]
    return without_late_scores(results, panels)


def drawn_panels(results: RecordedRun, panels: Sequence[Panel]) -> list[Panel]:
    """Return the panels that a figure shows: all of a recipe or a family, but only the first metrics otherwise."""
    is_requested = results.recipe is not None and results.recipe.panels
    if is_requested or not all(panel.is_metric for panel in panels):
        return list(panels)
    return list(panels[:_MOST_DRAWN_METRICS])


def _metric_panel(metric: str, results: RecordedRun, generations: np.ndarray, options: Mapping[str, Any]) -> Panel:
    """Return the panel of a metric without theory; of further dimensions it shows the first entry."""
    variable, coordinates = results.variables[metric], results.coordinates
    values = results.metrics[metric][:, generations]
    values = values.reshape(*values.shape[:2], -1)[..., 0]
    first = ", ".join(f"{dim} = {coordinates[dim].values[0]:g}" for dim in variable.dims if dim in coordinates)
    title = variable.long_name + (f" at {first}" if first else "")
    label = f"{variable.long_name} ({variable.units})"
    return Panel(title, label, metric, unscored_curve(generations, values), is_metric=True)
