"""Definitions of model collapse in use, and what a run says about one of them.

The list is after arXiv:2503.03150, which distinguishes eight definitions; the wording and all thresholds are of this
project.
"""

from dataclasses import dataclass

SOURCE = "arXiv:2503.03150"


@dataclass(frozen=True)
class Definition:
    """One definition of collapse.

    Parameters
    ----------
    key : a short name.
    name : in words.
    role : what a family must record for it, one of `fastcollapse.models.roles.ROLES`.
    words : the statement, with the names of thresholds in braces.
    """

    key: str
    name: str
    role: str
    words: str


@dataclass(frozen=True)
class Finding:
    """What a run says about one definition of collapse.

    Parameters
    ----------
    key, name, definition : of the definition; `definition` has the thresholds in numbers.
    holds : "yes"; "no"; "not shown", if a mean is not significantly above its limit, and not below it either in every
        generation; "not yet", if the run does not reach what a theorem says of its limit; "undecided", if no
        finite run can decide it and no theorem does; "unknown", if the run has not what it needs.
    generation : the first at which it holds; None if it does not, or if a theorem alone says so.
    value : of `quantity` at the last generation; None where it is not known.
    error : its standard error; None for one replicate.
    quantity : what `value` is.
    note : the evidence, the theorem, or the reason in one line.
    """

    key: str
    name: str
    definition: str
    holds: str
    generation: int | None = None
    value: float | None = None
    error: float | None = None
    quantity: str = ""
    note: str = ""


_AT_LEAST_HALF = "in at least half of the replicates"
DEFINITIONS = (
    Definition(
        "catastrophic",
        "catastrophic increase of risk",
        "risk",
        "the mean risk is above {catastrophic:g} times that of generation {baseline}, by {z:g} standard errors",
    ),
    Definition(
        "increase",
        "any increase of risk",
        "risk",
        "the mean risk is above that of generation {baseline}, by {z:g} standard errors",
    ),
    Definition("unbounded", "unbounded risk", "risk", "the mean risk grows without bound over generations"),
    Definition(
        "variance",
        "variance collapse",
        "variance",
        f"the variance is at most {{variance:g}} of that of generation 0, {_AT_LEAST_HALF}",
    ),
    Definition(
        "scaling",
        "change of the scaling law",
        "scaling",
        "the exponent of the test error over sample sizes differs by {scaling:g} or more, and by {z:g} standard errors",
    ),
    Definition("tails", "lost tails", "tails", f"at least {{tails:g}} of the tails is lost, {_AT_LEAST_HALF}"),
    Definition("modes", "lost modes", "modes", f"at least one mode is lost, {_AT_LEAST_HALF}"),
    Definition(
        "invented",
        "invented data",
        "invented",
        f"a mass of at least {{invented:g}} is where the truth has none, {_AT_LEAST_HALF}",
    ),
)
