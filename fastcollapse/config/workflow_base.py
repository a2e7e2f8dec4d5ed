"""The base class of workflows: dataclasses that turn their keys into a `Schedule`."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, ClassVar

from fastcollapse.config.fields import MAX_COUNT, ValidationErrors, parameter, power_text
from fastcollapse.config.schedule import Schedule
from fastcollapse.config.section_base import Section
from fastcollapse.config.sizes import Size, SizeField, multiple_of_truth


@dataclasses.dataclass(frozen=True)
class Workflow(Section):
    """Base of the workflows, with `n_samples` synthetic tokens in each generation.

    Attributes
    ----------
    EXAMPLES : values of optional keys. Tests and `precompile` use each with every choice of the required keys, except
        where the keys do not go together.
    """

    section: ClassVar[str] = "workflow"
    name: ClassVar[str] = ""
    EXAMPLES: ClassVar[tuple[Mapping[str, Any], ...]] = ({},)

    n_samples: Size = parameter(SizeField(), "number of synthetic tokens that each generation draws", unit="tokens")

    def needs(self) -> frozenset[str]:
        """Return the capabilities that a family must have for the workflow, see `CAPABILITIES`."""
        return frozenset()

    def schedule(self, n_generations: int, truth_total: int | None) -> Schedule:
        """Return the workflow as arrays over generations.

        Parameters
        ----------
        n_generations : T, at least 1.
        truth_total : size of the real data; None when the truth has no counts.

        Raises
        ------
        InputError
            A size out of bounds, or more than the pool holds, at some generation.
        """
        raise NotImplementedError

    def _checked(self, schedule: Schedule, truth_total: int | None) -> Schedule:
        import numpy as np  # start-up time of the command line

        # 10**7 generations of 10**15 tokens overflow int64: check up to the generation where floats exceed the bound
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
        # With replacement a subsample may be larger than its pool.
        if over.size and not schedule.replacement:
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
        multiples = multiple_of_truth(self.n_samples), multiple_of_truth(getattr(self, "n_real", None))
        return dataclasses.replace(schedule, times_truth=multiples[0], real_times_truth=multiples[1])
