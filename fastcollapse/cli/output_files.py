"""Output files of `fastcollapse run`: create, overwrite, resume, or reuse a finished run."""

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from fastcollapse.config.output_paths import CAPTION
from fastcollapse.config.sections import Recipe
from fastcollapse.errors import InputError
from fastcollapse.simulation.experiment import Experiment
from fastcollapse.simulation.planned_run import RunPlan
from fastcollapse.simulation.recipe_plan import plan_recipe
from fastcollapse.simulation.run_plan import Mode, run_at
from fastcollapse.storage.part_files import is_begun, parts_folder

FIGURE_SUFFIX = ".png"


def plan_output(
    experiment: Experiment | None,
    path: Path,
    mode: Mode,
    values: Mapping[str, Any] | None = None,
    *,
    numbered: bool = False,
) -> tuple[Path, list[RunPlan]]:
    """Return the path and the plans of a run whose figure is written beside its results; see `plan_recipe`.

    Raises
    ------
    InputError, UnreadableResults
        As `plan_recipe`; or the path has no name, the family does not have the panels of the recipe, or the recipe in
        the file of an earlier run cannot be read.
    """
    if experiment is not None:
        _check_panels(experiment.recipe, experiment.family)
    if path.name in ("", ".."):
        raise InputError(f"output must be the name of a new file, got {str(path)!r}")
    planned = plan_recipe(experiment, path, mode, values=values, numbered=numbered, companions=(FIGURE_SUFFIX, CAPTION))
    for plan in planned[1]:
        if plan.existing is not None:
            _check_panels(plan.existing.recipe, plan.experiment.family)
    return planned


def _check_panels(recipe: Recipe | None, family: str) -> None:
    """Refuse panels that the family does not have, before anything runs."""
    if recipe is None or recipe.panels is None:
        return
    from fastcollapse.analysis.panels.registry import find_panels  # only recipes that name panels need it

    panels = find_panels(family)
    if panels is not None:
        panels.check_names(recipe.panels)


def saved_generations(output: Path, resume_command: Sequence[str] = ()) -> str:
    """Return which generations of a stopped run are saved, and the command that resumes it, if there is one."""
    if not is_begun(output):
        if "--extend" in resume_command and output.exists():
            return f"{output} keeps its finished run; to continue: {shlex.join(resume_command)}"
        return "nothing was written"
    run = run_at(output)
    last = -1 if run is None else run.last
    if last < 0:
        return f"{parts_folder(output)} keeps no generation yet"
    saved = f"{parts_folder(output)} keeps generations 0 to {last:,}"
    return f"{saved}; to resume: {shlex.join(resume_command)}" if resume_command else saved
