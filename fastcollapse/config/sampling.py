"""The section `[sampling]`: maps that change a model before it is sampled, one key a map."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, ClassVar

from fastcollapse.config.fields import (
    ChoiceField,
    FloatField,
    IntField,
    ListField,
    StringField,
    is_list,
    parameter,
)
from fastcollapse.config.section_base import Section, TableField

# Rewards are at most this in absolute value, so that e^r is finite.
MAX_REWARD = 700.0
# Limits keep squares of squares in the range of float64, and are those of the theory.
_NUMBER = FloatField(-1e30, 1e30)


@dataclasses.dataclass(frozen=True)
class RewardField:
    """Accept a list of rewards, the path of a file with them, or "rank"."""

    text: ClassVar[str] = "list of numbers | path of a file | 'rank'"

    def __call__(self, value: object) -> Any:
        """Return the checked value."""
        if isinstance(value, str):
            return StringField()(value)
        return ListField(FloatField(-MAX_REWARD, MAX_REWARD), 2)(value)


@dataclasses.dataclass(frozen=True)
class CopiesField:
    """Accept the number K of candidates: a whole number, or "infinite" for the limit."""

    text: ClassVar[str] = "whole number from 1 to 10**6, or 'infinite'"

    def __call__(self, value: object) -> int | str:
        """Return the checked value."""
        return "infinite" if isinstance(value, str) and value == "infinite" else IntField(1, 10**6)(value)


@dataclasses.dataclass(frozen=True)
class BestOf(Section):
    """One of k samples is kept, by its reward r."""

    k: int | str = parameter(CopiesField(), "number of samples of which one is kept")
    reward: Any = parameter(
        RewardField(),
        "reward of each symbol: a list, a file, or 'rank' from 1 (most probable in the truth) to 0 (least)",
    )
    rule: str = parameter(
        ChoiceField(lambda: ("soft", "hard")),
        "soft: a sample is kept with probability e^r / sum of e^r (Bradley-Terry); hard: the best one, ties at random",
    )

    def relations(self) -> list[tuple[str, str]]:
        """Return what is wrong with the keys together: (key, problem) pairs."""
        if self.k == "infinite" and self.rule == "hard":
            return [("k", "must be a whole number when rule is 'hard', got 'infinite'")]
        return []


@dataclasses.dataclass(frozen=True)
class PointField:
    """Accept a number, or a list with a number for each dimension."""

    text: ClassVar[str] = "number, or a list with a number for each dimension"
    list_depth: ClassVar[int] = 1

    def __call__(self, value: object) -> Any:
        """Return the checked value."""
        return ListField(_NUMBER)(value) if is_list(value) else _NUMBER(value)


@dataclasses.dataclass(frozen=True)
class Verifier(Section):
    """Points x are kept with probability exp(-|x - centre|^2 / (2 tau^2))."""

    centre: Any = parameter(PointField(), "centre of the verifier's knowledge")
    tau: float = parameter(FloatField(1e-30, 1e30), "width of the verifier's knowledge")


@dataclasses.dataclass(frozen=True)
class Sampling(Section):
    """Maps of the model before it is sampled; each needs the capability of its name.

    Discrete maps apply in the order of the fields. A Gaussian takes one map.
    """

    section: ClassVar[str] = "sampling"
    # Values that tests and `precompile` use: each map alone, and maps together.
    EXAMPLES: ClassVar[tuple[Mapping[str, Any], ...]] = (
        {"temperature": 0.5},
        {"top_k": 2},
        {"top_p": 0.8},
        {"best_of": {"k": 2, "reward": "rank", "rule": "soft"}},
        {"best_of": {"k": 3, "reward": "rank", "rule": "hard"}},
        {"temperature": 1.5, "top_k": 4, "top_p": 0.9, "best_of": {"k": 2, "reward": "rank", "rule": "soft"}},
        {"bias": 0.9},
        {"tilt": 0.2},
        {"verifier": {"centre": 0.5, "tau": 2.0}},
        {"truncate": 1.5},
    )
    discrete: ClassVar[tuple[str, ...]] = ("temperature", "top_k", "top_p", "best_of")

    temperature: float | None = parameter(
        FloatField(1e-3, 1e3), "temperature T: symbols are drawn with weight p^(1/T)", default=None
    )
    top_k: int | None = parameter(
        IntField(1, 10**12), "only the k most probable symbols are drawn; of equal ones the first", default=None
    )
    top_p: float | None = parameter(
        FloatField(0, 1, above=True),
        "only the fewest most probable symbols with at least this probability in all are drawn",
        default=None,
    )
    best_of: BestOf | None = parameter(TableField(BestOf), "curation: one of k samples is kept", default=None)
    bias: float | None = parameter(
        FloatField(1e-6, 1e6), "lambda: points are drawn with lambda times the deviation", default=None
    )
    tilt: Any = parameter(PointField(), "b: points x are drawn with weight e^(b x)", default=None)
    verifier: Verifier | None = parameter(TableField(Verifier), "points near a centre are kept", default=None)
    truncate: float | None = parameter(
        FloatField(1e-30, 1e150), "c: points within c deviations of the mean are kept", default=None
    )

    @property
    def maps(self) -> tuple[str, ...]:
        """Names of the maps in use, in the order in which they apply."""
        return tuple(field.name for field in dataclasses.fields(self) if getattr(self, field.name) is not None)

    @property
    def files(self) -> tuple[str, ...]:
        """Path of the file of the rewards, as written by the user."""
        reward = "rank" if self.best_of is None else self.best_of.reward
        return (reward,) if isinstance(reward, str) and reward != "rank" else ()

    def relations(self) -> list[tuple[str, str]]:
        """Return what is wrong with the keys together: (key, problem) pairs."""
        continuous = [name for name in self.maps if name not in self.discrete]
        if len(continuous) > 1 or (continuous and len(self.maps) > 1):
            return [("", f"must have one map if it has bias, tilt, verifier or truncate, got {', '.join(self.maps)}")]
        return []
