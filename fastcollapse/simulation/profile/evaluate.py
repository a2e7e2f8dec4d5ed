"""Profile of a run: every definition of collapse, evaluated on its recorded metrics."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from fastcollapse.config.thresholds import Thresholds
from fastcollapse.errors import InputError
from fastcollapse.models.registry import family
from fastcollapse.models.roles import ROLES, Excluded, Reading, Role, Unanswered
from fastcollapse.simulation.profile import events, risk
from fastcollapse.simulation.profile.definitions import DEFINITIONS, Definition, Finding
from fastcollapse.simulation.profile.evidence import CannotSay, Evidence, Outcome
from fastcollapse.simulation.profile.scaling import scaling

_EVALUATE: Mapping[str, Callable[[Evidence], Outcome]] = {
    "catastrophic": risk.catastrophic,
    "increase": risk.increase,
    "unbounded": risk.unbounded,
    "variance": events.variance,
    "scaling": scaling,
    "tails": events.tails,
    "modes": events.modes,
    "invented": events.invented,
}


def profile_of(run: Any, thresholds: Thresholds) -> tuple[Finding, ...]:
    """Return what a run says about each definition of collapse.

    Raises
    ------
    InputError
        No generation is finished, or the metric that `thresholds.risk` names cannot be the risk.
    """
    if run.last < 1:
        where = f" in {run.path}" if run.path is not None else ""
        raise InputError(f"a profile must have at least one finished generation, got none{where}")
    roles = _roles(run, thresholds.risk)
    return tuple(_finding(definition, Evidence(run, thresholds, roles[definition.role])) for definition in DEFINITIONS)


def _roles(run: Any, risk: str | None) -> dict[str, Role]:
    """Return what plays each role, with the metric that the user has named as the risk."""
    name = run.experiment.family
    given = family(name).ROLES
    absent: dict[str, Role] = {
        role: Unanswered(f"the {name} family names no metric of {ROLES[role]}") for role in ROLES
    }
    roles = {**absent, **given}
    if risk is None:
        return roles
    possible = [metric for metric in run.metrics if not run.variables[metric].dims]
    if risk not in possible:
        known = ", ".join(possible) or "none"
        raise InputError(f"risk must be a recorded metric without further dimensions, one of {known}, got {risk!r}")
    named = roles["risk"]
    readings = [reading for reading in named if reading.metrics == (risk,)] if isinstance(named, tuple) else []
    return {**roles, "risk": (readings[0] if readings else Reading((risk,), run.variables[risk].long_name),)}


def _finding(definition: Definition, evidence: Evidence) -> Finding:
    """Return what a run says about one definition."""
    role = evidence.role
    if isinstance(role, Excluded):
        outcome = Outcome("no", note=f"never in this family: {role.reason}")
    elif isinstance(role, Unanswered):
        outcome = Outcome("unknown", note=role.reason)
    else:
        try:
            # A metric may be infinite.
            with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
                outcome = _EVALUATE[definition.key](evidence)
        except CannotSay as reason:
            outcome = Outcome("unknown", note=str(reason))
    value, error, _ = outcome.estimate or (np.nan, np.nan, np.nan)
    return Finding(
        definition.key,
        definition.name,
        definition.words.format(**dataclasses.asdict(evidence.thresholds)),
        outcome.holds,
        outcome.generation,
        None if np.isnan(value) else float(value),
        None if np.isnan(error) else float(error),
        outcome.quantity,
        outcome.note,
    )
