"""Capabilities: what workflows and maps need from a family, and messages about what a family lacks."""

from __future__ import annotations

import dataclasses

from fastcollapse.config.fields import ValidationErrors, show
from fastcollapse.config.sampling import Sampling

# Capabilities that a workflow may need and a family may have, with their text for messages.
CAPABILITIES = {
    "pool": "a pool that keeps the data of earlier generations",
    "subsample": "a fit to a subsample of the pool",
    "fresh_real": "real data drawn anew each generation",
    "fixed_real": "real data drawn once per replicate",
    "pool_with_real": "fresh real data in a pool that keeps it",
    "subsample_with_real": "a subsample of synthetic and real data together",
    "weights": "a weight of the real data in the fit",
    "real_share": "tokens that are real with a given probability",
    "window": "a pool of the last batches only",
    "discount": "batches that count less with their age",
    "temperature": "sampling at a temperature",
    "top_k": "sampling of the k most probable symbols",
    "top_p": "sampling of the most probable symbols up to a share",
    "best_of": "curation of the best of k samples",
    "bias": "sampling with a biased deviation",
    "tilt": "sampling with an exponential weight",
    "verifier": "samples that a verifier keeps",
    "truncate": "samples within a distance of the mean",
}

# Capabilities beyond draws that are pooled with equal weights.
STAGES = frozenset(
    {"weights", "real_share", "window", "discount", *(field.name for field in dataclasses.fields(Sampling))}
)


def missing_capability(needs: frozenset[str], capabilities: frozenset[str], family: str) -> str:
    """Return the capabilities that a family lacks as the end of a message; "" if it has all of `needs`."""
    missing = sorted(needs - capabilities)
    if not missing:
        return ""
    text = "; ".join(f"{CAPABILITIES.get(name, name)} (capability '{name}')" for name in missing)
    return f"the {family} family does not support {text}"


def check_maps(sampling: Sampling | None, capabilities: frozenset[str], family: str) -> None:
    """Refuse maps that a family does not serve.

    Raises
    ------
    ValidationErrors
        One problem for each map, which names the missing capability and those that the family has.
    """
    known = [f.name for f in dataclasses.fields(Sampling) if f.name in capabilities]
    served = f"it supports {', '.join(known)}" if known else "it supports no map"
    problems = [
        (
            f"sampling.{name}",
            f"must be absent for the {family} family, which lacks capability '{name}'; {served}, "
            f"got {show(getattr(sampling, name))}",
        )
        for name in (sampling.maps if sampling else ())
        if name not in capabilities
    ]
    if problems:
        raise ValidationErrors(problems)
