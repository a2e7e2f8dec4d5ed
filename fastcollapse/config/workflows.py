"""Workflows: dataclasses that turn their keys into a `Schedule`.

At generation t = 1..T a model computes `pool <- keep*pool + n_synthetic draws from its state + n_real draws from
the truth`, then fits to the pool, or to a subsample of `n_train` points. With a weight, a window or a discount the real
draws are beside the pool. A workflow does not depend on a model.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, ClassVar, TypeVar

from fastcollapse.config.fields import (
    BoolField,
    ChoiceField,
    FloatField,
    IntField,
    ValidationErrors,
    parameter,
    show,
)
from fastcollapse.config.schedule import Schedule
from fastcollapse.config.section_base import check_fields
from fastcollapse.config.shares import Share, ShareField, resolve_share
from fastcollapse.config.sizes import Size, SizeField, TimesTruth, resolve
from fastcollapse.config.workflow_base import Workflow
from fastcollapse.errors import InputError

_WEIGHT = "weight of the real data in the fit; by default all tokens have the same weight"


@dataclasses.dataclass(frozen=True)
class Replace(Workflow):
    """Each generation is fitted only to the synthetic tokens of the previous generation.

    Examples
    --------
    >>> Replace(n_samples=200).schedule(3, truth_total=None).n_synthetic
    array([200, 200, 200])
    """

    name: ClassVar[str] = "replace"

    def schedule(self, n_generations: int, truth_total: int | None) -> Schedule:
        """Return the workflow spelled out over generations."""
        import numpy as np  # start-up time of the command line

        n = resolve(self.n_samples, "workflow.n_samples", n_generations, truth_total)
        zero = np.zeros_like(n)
        return self._checked(Schedule(n, zero, zero.copy(), zero.copy()), truth_total)


@dataclasses.dataclass(frozen=True)
class _Pool(Workflow):
    """Base of workflows with a pool of the tokens of all generations so far."""

    keep_real: bool = parameter(BoolField(), "whether the pool always keeps the real data of the start")

    def needs(self) -> frozenset[str]:
        """Return the capabilities that the workflow needs."""
        return frozenset({"pool"})

    def _pool(self, n_generations: int, truth_total: int | None) -> Schedule:
        """Return the schedule of a pool with equal weights and without subsamples."""
        import numpy as np  # start-up time of the command line

        n = resolve(self.n_samples, "workflow.n_samples", n_generations, truth_total)
        keep = np.ones_like(n)
        if not self.keep_real and truth_total is None:
            keep[1:2] = 0
        started = self.keep_real and truth_total is not None
        sizes = (n, np.zeros_like(n), keep, np.zeros_like(n))
        plain = Schedule(*sizes, start_with_data=started, first_is_real=truth_total is None)
        return self._checked(plain, truth_total)


@dataclasses.dataclass(frozen=True)
class Accumulate(_Pool):
    """Each generation is fitted to the synthetic tokens of all generations so far, or of the last ones.

    The real data at the start is the counts of the truth. For a truth without counts it is the sample that generation 1
    draws from the truth; `keep_real = false` drops it at generation 2. With `window`, `discount` or `weight`, the real
    data that is kept is beside the pool of synthetic batches; a sample that is not kept ages like any other batch.

    Examples
    --------
    >>> Accumulate(n_samples=5, keep_real=False).schedule(3, truth_total=None).pool_totals()
    array([ 5,  5, 10])
    >>> Accumulate(n_samples=5, keep_real=True, window=2).schedule(5, truth_total=7).pool_totals()
    array([12, 17, 17, 17, 17])
    """

    name: ClassVar[str] = "accumulate"
    EXAMPLES: ClassVar[tuple[Mapping[str, Any], ...]] = (
        {},
        {"window": 2},
        {"discount": 0.5},
        {"weight": 0.3},
        {"weight": 0.3, "window": 2},
        {"weight": 0.3, "discount": 0.5},
        {"n_real": 12},
    )

    window: int | None = parameter(
        IntField(1, 10**7), "number of last synthetic batches that the pool keeps; by default all", default=None
    )
    discount: float | None = parameter(
        FloatField(0, 1, above=True), "weight of a batch relative to the next younger one; by default 1", default=None
    )
    weight: Share | None = parameter(ShareField(), _WEIGHT, default=None)
    n_real: Size | None = parameter(
        SizeField(minimum=0),
        "real tokens that each generation draws anew and adds to the pool; by default none",
        default=None,
        unit="tokens",
    )

    def needs(self) -> frozenset[str]:
        """Return the capabilities that the workflow needs."""
        if self.n_real is not None:
            return frozenset({"pool", "fresh_real", "pool_with_real"})
        stages = {"window": self.window, "discount": self.discount, "weights": self.weight}
        staged = {name for name, value in stages.items() if value is not None}
        return frozenset({"pool", *staged, *({"fixed_real"} if staged and self.keep_real else ())})

    def relations(self) -> list[tuple[str, str]]:
        """Return what is wrong with the keys together: (key, problem) pairs."""
        problems = []
        beside = [name for name in ("window", "discount", "weight") if getattr(self, name) is not None]
        if self.n_real is not None and beside:
            given = show(self.to_mapping()["n_real"])
            problems.append(("n_real", f"must be absent with workflow.{beside[0]}, got {given}"))
        if self.window is not None and self.discount is not None:
            problems.append(("discount", f"must be absent with workflow.window, got {show(self.discount)}"))
        if self.weight is not None and not self.keep_real:
            given = show(self.to_mapping()["weight"])
            problems.append(("weight", f"must be absent unless workflow.keep_real is true, got {given}"))
        return problems

    def schedule(self, n_generations: int, truth_total: int | None) -> Schedule:
        """Return the workflow spelled out over generations."""
        if all(value is None for value in (self.window, self.discount, self.weight)):
            plain = self._pool(n_generations, truth_total)
            if self.n_real is None:
                return plain
            n_real = resolve(self.n_real, "workflow.n_real", n_generations, truth_total, minimum=0)
            real = "fresh" if n_real.any() else "none"
            return self._checked(dataclasses.replace(plain, n_real=n_real, real=real), truth_total)
        return self._beside_real(n_generations, truth_total)

    def _beside_real(self, n_generations: int, truth_total: int | None) -> Schedule:
        """Return the schedule with the real data beside the pool: the counts, or a sample of the size of batch 1.

        If the real data is not kept, a sample is a batch that leaves the window, or is discounted, like any other.
        """
        import numpy as np  # start-up time of the command line

        n = resolve(self.n_samples, "workflow.n_samples", n_generations, truth_total)
        n_real = np.zeros_like(n)
        if self.keep_real and truth_total is None:
            n_real[:] = n[0]
            n[0] = 0
        elif self.keep_real:
            n_real[:] = truth_total
        if self.window is not None and self.window > n_generations:
            problem = f"must be at most run.n_generations, {n_generations}, got {self.window}"
            raise ValidationErrors([("workflow.window", problem)])
        staged = Schedule(
            n,
            n_real,
            np.ones_like(n),
            np.zeros_like(n),
            real="fixed" if n_real.any() else "none",
            weight=None if self.weight is None else resolve_share(self.weight, "workflow.weight", n_generations),
            window=self.window or 0,
            discount=self.discount or 0.0,
            first_is_real=truth_total is None and not self.keep_real,
        )
        return self._checked(staged, truth_total)


@dataclasses.dataclass(frozen=True)
class AccumulateSubsample(_Pool):
    """As `Accumulate`, with each generation fitted to a subsample of `n_train` tokens of the pool.

    Examples
    --------
    >>> workflow = AccumulateSubsample(n_samples=5, keep_real=True, replacement=False)
    >>> workflow.schedule(3, truth_total=None).n_train
    array([5, 5, 5])
    """

    name: ClassVar[str] = "accumulate_subsample"

    replacement: bool = parameter(
        BoolField(), "whether the subsample is drawn with replacement; it may then be larger than the pool"
    )
    n_train: Size = parameter(
        SizeField(names=("n_samples", "truth")),
        "size of the subsample for the fit",
        default="n_samples",
        unit="tokens",
    )

    def needs(self) -> frozenset[str]:
        """Return the capabilities that the workflow needs."""
        return frozenset({"pool", "subsample"})

    def schedule(self, n_generations: int, truth_total: int | None) -> Schedule:
        """Return the workflow spelled out over generations."""
        plain = self._pool(n_generations, truth_total)
        n_train = (
            plain.n_synthetic.copy()
            if self.n_train == "n_samples"
            else resolve(self.n_train, "workflow.n_train", n_generations, truth_total)
        )
        chosen = dataclasses.replace(plain, n_train=n_train, replacement=self.replacement)
        return self._checked(chosen, truth_total)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Mix(Workflow):
    """Each generation is fitted to the synthetic tokens of the previous generation and to real data.

    Examples
    --------
    >>> schedule = Mix(n_samples=90, n_real=10, real="fresh").schedule(2, truth_total=None)
    >>> schedule.n_real, schedule.pool_totals()
    (array([10, 10]), array([100, 100]))
    """

    name: ClassVar[str] = "mix"
    EXAMPLES: ClassVar[tuple[Mapping[str, Any], ...]] = (
        {"n_real": 12},
        {"n_real": 12, "weight": 0.7},
        {"n_real": 12, "weight": "optimal"},
        {"real_share": 0.3},
    )

    n_real: Size | None = parameter(
        SizeField(minimum=0), "real tokens in addition to the synthetic ones", default=None, unit="tokens"
    )
    real: str = parameter(
        ChoiceField(lambda: ("fresh", "fixed")),
        "whether real data is drawn anew in each generation, or once per replicate",
    )
    real_share: Share | None = parameter(
        ShareField(), "in place of n_real: probability that each of the n_samples tokens is real", default=None
    )
    weight: Share | None = parameter(
        ShareField(("optimal",)), f"{_WEIGHT}; 'optimal' has the least error of the next fit", default=None
    )

    def needs(self) -> frozenset[str]:
        """Return the capabilities that the workflow needs."""
        stages = {"real_share": self.real_share, "weights": self.weight}
        staged = {name for name, value in stages.items() if value is not None}
        return frozenset({*staged, *({f"{self.real}_real"} if self.real_share is None else ())})

    def relations(self) -> list[tuple[str, str]]:
        """Return what is wrong with the keys together: (key, problem) pairs."""
        if (self.n_real is None) == (self.real_share is None):
            if self.n_real is None:
                return [("n_real", f"is required: {SizeField(minimum=0).text}; or real_share")]
            return [("real_share", f"must be absent with workflow.n_real, got {show(self.to_mapping()['real_share'])}")]
        if self.real_share is not None and self.weight is not None:
            return [("weight", f"must be absent with workflow.real_share, got {show(self.to_mapping()['weight'])}")]
        if self.real_share is not None and self.real != "fresh":
            return [("real", f"must be 'fresh' with workflow.real_share, got {show(self.real)}")]
        if self.weight == "optimal" and self.real != "fresh":
            return [("weight", "must be a number or a list unless workflow.real is 'fresh', got 'optimal'")]
        if self.real == "fixed" and not isinstance(self.n_real, int | str | TimesTruth):
            given = self.to_mapping()["n_real"]
            allowed = "one number, 'truth' or {times_truth} when workflow.real is 'fixed'"
            return [("n_real", f"must be {allowed}, got {show(given)}")]
        return []

    def schedule(self, n_generations: int, truth_total: int | None) -> Schedule:
        """Return the workflow spelled out over generations."""
        import numpy as np  # start-up time of the command line

        n = resolve(self.n_samples, "workflow.n_samples", n_generations, truth_total)
        zero = np.zeros_like(n)
        if self.n_real is None:
            assert self.real_share is not None
            share = resolve_share(self.real_share, "workflow.real_share", n_generations)
            return self._checked(Schedule(n, zero, zero.copy(), zero.copy(), real_share=share), truth_total)
        n_real = resolve(self.n_real, "workflow.n_real", n_generations, truth_total, minimum=0)
        real = self.real if n_real.any() else "none"
        weight = (
            None if self.weight in (None, "optimal") else resolve_share(self.weight, "workflow.weight", n_generations)
        )
        mixed = Schedule(n, n_real, zero, zero.copy(), real=real, weight=weight, optimal=self.weight == "optimal")
        return self._checked(mixed, truth_total)


WORKFLOWS: dict[str, type[Workflow]] = {cls.name: cls for cls in (Replace, Accumulate, AccumulateSubsample, Mix)}
W = TypeVar("W", bound=type[Workflow])


def register_workflow(cls: W) -> W:
    """Register a workflow for `[workflow] name` and return it; also a class decorator.

    Parameters
    ----------
    cls : a frozen dataclass that extends `Workflow`, with a new `name`, `schedule` and, if families need capabilities
        for it, `needs`.

    Raises
    ------
    InputError
        `cls` is not such a class, or another workflow has its name.

    Examples
    --------
    >>> @register_workflow
    ... @dataclasses.dataclass(frozen=True)
    ... class ReplaceTwice(Replace):
    ...     name: ClassVar[str] = "replace_twice"
    >>> WORKFLOWS.pop("replace_twice").__name__
    'ReplaceTwice'
    """
    is_dataclass = isinstance(cls, type) and issubclass(cls, Workflow) and "__dataclass_fields__" in vars(cls)
    if not is_dataclass or cls.schedule is Workflow.schedule:
        raise InputError(f"a workflow must be a dataclass that extends Workflow and defines schedule, got {show(cls)}")
    check_fields(cls)
    if not cls.name.isidentifier():
        raise InputError(f"the name of workflow {cls.__name__} must be an identifier, got {show(cls.name)}")
    if WORKFLOWS.get(cls.name, cls) is not cls:
        raise InputError(f"the name of workflow {cls.__name__} must be new, got {show(cls.name)}")
    WORKFLOWS[cls.name] = cls
    return cls
