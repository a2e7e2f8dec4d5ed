"""Workflows: which data each generation is fitted to, as arrays over generations that models read alike.

At generation t = 1..T a model does `pool <- keep*pool + n_synthetic draws from its state + n_real draws from
the truth`, then fits to the pool, or to a subsample of `n_train` of it. Nothing here knows a model.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, ClassVar

from fastcollapse.config.fields import (
    MAX_COUNT,
    BoolField,
    ChoiceField,
    Section,
    ValidationErrors,
    parameter,
    power_text,
    show,
)
from fastcollapse.config.sizes import Size, SizeField, resolve

if TYPE_CHECKING:
    import numpy as np


@dataclasses.dataclass(frozen=True, eq=False)
class Schedule:
    """A workflow spelled out: index t - 1 of each array is generation t.

    Parameters
    ----------
    n_synthetic
        int64, shape (T,), at least 1: draws from the model of generation t - 1.
    n_real
        int64, shape (T,), at least 0: draws of real data beside them.
    keep
        int64, shape (T,), 0 or 1: whether generation t keeps the pool of generation t - 1.
    n_train
        int64, shape (T,): 0 fits to the whole pool, otherwise the size of the subsample,
        at most the pool.
    replacement
        Whether that subsample is drawn with replacement.
    real
        "none", "fresh" (real data drawn anew each generation) or "fixed" (drawn once per replicate; where
        `n_real` is the total of the real data, that data itself).
    start_with_data
        Whether the pool of generation 0 holds the counts of the truth; otherwise it is empty.
    """

    n_synthetic: np.ndarray
    n_real: np.ndarray
    keep: np.ndarray
    n_train: np.ndarray
    replacement: bool = False
    real: str = "none"
    start_with_data: bool = False

    def pool_totals(self, truth_total: int | None = None) -> np.ndarray:
        """Return the number of tokens in the pool that generation t is fitted to, or subsampled from.

        Parameters
        ----------
        truth_total
            Size of the real data, at least 1; needed when the pool starts with it.

        Returns
        -------
        ndarray
            int64, shape (T,).

        Examples
        --------
        >>> Accumulate(n_samples=10, keep_real=True).schedule(3, truth_total=100).pool_totals(100)
        array([110, 120, 130])
        """
        import numpy as np  # start-up time of the command line

        # a sum that wraps round is harmless: the difference is right while the pool fits
        added = np.cumsum(self.n_synthetic + self.n_real)
        last_drop = np.maximum.accumulate(np.where(self.keep == 0, np.arange(len(added)), -1))
        before = np.concatenate(([0], added))[np.maximum(last_drop, 0)]
        start = truth_total if self.start_with_data and truth_total is not None else 0
        return added - before + np.where(last_drop < 0, start, 0)

    def distinct_rows(self, same: bool) -> tuple[np.ndarray, np.ndarray]:
        """Return how many different rows generation t is fitted to at least and at most.

        A subsample may hold a row more than once: drawn with replacement, or from rounds of the same rows. Then the
        bounds are five standard deviations from the mean number, both in the limit of many rows.

        Parameters
        ----------
        same
            Whether the synthetic rows of all generations are the same ones.

        Returns
        -------
        tuple of ndarray
            int64, shape (T,) each.

        Examples
        --------
        >>> workflow = AccumulateSubsample(n_samples=40, keep_real=True, replacement=True)
        >>> [bound.tolist() for bound in workflow.schedule(2, None).distinct_rows(same=False)]
        [[15, 21], [36, 40]]
        """
        import numpy as np  # start-up time of the command line

        pool = self.pool_totals()
        rows = self.n_synthetic + self.n_real if same else pool
        drawn = np.where(self.n_train > 0, self.n_train, pool)
        if not self.n_train.any() or not (self.replacement or same):
            return np.minimum(drawn, rows), np.minimum(drawn, rows)
        # Each row is taken or not, independently but for the total number, that of which the variance is taken off.
        if self.replacement:
            left_out, odds = (1 - 1 / rows) ** drawn, drawn / rows
        else:
            copies, share = pool / rows, drawn / pool
            left_out, odds = (1 - share) ** copies, copies * share / np.maximum(1 - share, 1 / pool)
        mean = rows * (1 - left_out)
        deviation = np.sqrt(rows * np.maximum(left_out * (1 - left_out) - odds * left_out**2, 0))
        least, most = np.floor(mean - 5 * deviation), np.ceil(mean + 5 * deviation)
        return np.maximum(least, 1).astype(np.int64), np.minimum(most, np.minimum(drawn, rows)).astype(np.int64)


@dataclasses.dataclass(frozen=True)
class Workflow(Section):
    """Base of the workflows: `n_samples` synthetic tokens each generation."""

    section: ClassVar[str] = "workflow"
    name: ClassVar[str] = ""

    n_samples: Size = parameter(SizeField(), "synthetic tokens that each generation draws", unit="tokens")  # noqa: RUF009

    def schedule(self, n_generations: int, truth_total: int | None) -> Schedule:
        """Return the workflow spelled out over generations.

        Parameters
        ----------
        n_generations
            T, at least 1.
        truth_total
            Size of the real data; None when the truth has no counts of its own.

        Raises
        ------
        InputError
            A size out of bounds, or more than the pool holds, at some generation.
        """
        raise NotImplementedError

    def _checked(self, schedule: Schedule, truth_total: int | None) -> Schedule:
        import numpy as np  # start-up time of the command line

        # 10**7 generations of 10**15 tokens overflow int64: look no further than where floats pass the bound
        rough = np.cumsum((schedule.n_synthetic + schedule.n_real).astype(float)) * schedule.keep
        end = int(np.argmax(rough > 4 * MAX_COUNT)) + 1 if rough.max() > 4 * MAX_COUNT else len(rough)
        totals = schedule.pool_totals(truth_total)[:end]
        over = np.flatnonzero(totals > MAX_COUNT)
        if over.size:
            raise ValidationErrors(
                [
                    (
                        "workflow.n_samples",
                        f"must keep the pool at most {power_text(MAX_COUNT)} tokens, "
                        f"got {totals[over[0]]} at generation {over[0] + 1}",
                    )
                ]
            )
        over = np.flatnonzero(schedule.n_train[:end] > totals)
        if over.size:
            t = over[0]
            raise ValidationErrors(
                [
                    (
                        "workflow.n_train",
                        f"must be at most the pool, {totals[t]} tokens at generation "
                        f"{t + 1}, got {schedule.n_train[t]}",
                    )
                ]
            )
        return schedule


@dataclasses.dataclass(frozen=True)
class Replace(Workflow):
    """Each generation is fitted to the synthetic tokens of the one before and to nothing else.

    Examples
    --------
    >>> Replace(n_samples=200).schedule(3, truth_total=None).n_synthetic
    array([200, 200, 200])
    """

    name: ClassVar[str] = "replace"

    def schedule(self, n_generations: int, truth_total: int | None) -> Schedule:
        import numpy as np  # start-up time of the command line

        n = resolve(self.n_samples, "workflow.n_samples", n_generations, truth_total)
        zero = np.zeros_like(n)
        return self._checked(Schedule(n, zero, zero.copy(), zero.copy()), truth_total)


@dataclasses.dataclass(frozen=True)
class Accumulate(Workflow):
    """Each generation is fitted to the synthetic tokens of all generations so far.

    The real data of the start is the counts of the truth; for a truth without counts it is the first sample,
    which generation 1 draws from the truth, and which `keep_real = false` drops at generation 2.

    Examples
    --------
    >>> Accumulate(n_samples=5, keep_real=False).schedule(3, truth_total=None).pool_totals()
    array([ 5,  5, 10])
    """

    name: ClassVar[str] = "accumulate"

    keep_real: bool = parameter(BoolField(), "whether the pool keeps the real data of the start for ever")

    def schedule(self, n_generations: int, truth_total: int | None) -> Schedule:
        import numpy as np  # start-up time of the command line

        n = resolve(self.n_samples, "workflow.n_samples", n_generations, truth_total)
        keep = np.ones_like(n)
        if not self.keep_real and truth_total is None:
            keep[1:2] = 0
        started = self.keep_real and truth_total is not None
        plain = Schedule(n, np.zeros_like(n), keep, np.zeros_like(n), start_with_data=started)
        return self._checked(plain, truth_total)


@dataclasses.dataclass(frozen=True)
class AccumulateSubsample(Accumulate):
    """As `Accumulate`, but each generation is fitted to a subsample of the pool, `n_train` tokens of it.

    Examples
    --------
    >>> workflow = AccumulateSubsample(n_samples=5, keep_real=True, replacement=False)
    >>> workflow.schedule(3, truth_total=None).n_train
    array([5, 5, 5])
    """

    name: ClassVar[str] = "accumulate_subsample"

    replacement: bool = parameter(BoolField(), "whether the subsample is drawn with replacement")
    n_train: Size = parameter(  # noqa: RUF009
        SizeField(words=("n_samples", "truth")),
        "size of the subsample that is fitted to",
        default="n_samples",
        unit="tokens",
    )

    def schedule(self, n_generations: int, truth_total: int | None) -> Schedule:
        plain = super().schedule(n_generations, truth_total)
        n_train = (
            plain.n_synthetic.copy()
            if self.n_train == "n_samples"
            else resolve(self.n_train, "workflow.n_train", n_generations, truth_total)
        )
        chosen = dataclasses.replace(plain, n_train=n_train, replacement=self.replacement)
        return self._checked(chosen, truth_total)


@dataclasses.dataclass(frozen=True)
class Mix(Workflow):
    """Each generation is fitted to the synthetic tokens of the one before and to real data.

    Examples
    --------
    >>> schedule = Mix(n_samples=90, n_real=10, real="fresh").schedule(2, truth_total=None)
    >>> schedule.n_real, schedule.pool_totals()
    (array([10, 10]), array([100, 100]))
    """

    name: ClassVar[str] = "mix"

    n_real: Size = parameter(SizeField(minimum=0), "real tokens beside the synthetic ones", unit="tokens")  # noqa: RUF009
    real: str = parameter(
        ChoiceField(lambda: ("fresh", "fixed")),
        "whether real data is drawn anew each generation, or once per replicate",
    )

    def relations(self) -> list[tuple[str, str]]:
        if self.real == "fixed" and not isinstance(self.n_real, int | str):
            given = self.to_mapping()["n_real"]
            return [("n_real", f"must be one number or 'truth' when workflow.real is 'fixed', got {show(given)}")]
        return []

    def schedule(self, n_generations: int, truth_total: int | None) -> Schedule:
        import numpy as np  # start-up time of the command line

        n = resolve(self.n_samples, "workflow.n_samples", n_generations, truth_total)
        n_real = resolve(self.n_real, "workflow.n_real", n_generations, truth_total, minimum=0)
        zero = np.zeros_like(n)
        real = self.real if n_real.any() else "none"
        return self._checked(Schedule(n, n_real, zero, zero.copy(), real=real), truth_total)


WORKFLOWS: dict[str, type[Workflow]] = {cls.name: cls for cls in (Replace, Accumulate, AccumulateSubsample, Mix)}
