"""Replay: run a recorded experiment again and compare every number bit for bit."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from fastcollapse.config.stop_condition import StopCondition
from fastcollapse.datasets.data_files import changed_files
from fastcollapse.errors import InputError
from fastcollapse.simulation.execute import execute
from fastcollapse.simulation.provenance import changes, provenance
from fastcollapse.simulation.recorded_run import RecordedRun
from fastcollapse.simulation.run_plan import plan_run
from fastcollapse.simulation.same_experiment import recorded_truth
from fastcollapse.simulation.user_metrics import UserMetric, named_metrics


@dataclass(frozen=True)
class Replay:
    """Comparison of a replay with the recorded run.

    Parameters
    ----------
    same : names of arrays with equal bits.
    different : names of the other arrays, with their first difference.
    versions : packages and parts of the machine that changed.
    not_compared : metrics of the user, which cannot be computed without their functions.
    """

    same: tuple[str, ...]
    different: tuple[str, ...]
    versions: tuple[str, ...]
    not_compared: tuple[str, ...] = ()

    @property
    def identical(self) -> bool:
        """Whether every number has the same bits."""
        return not self.different

    def __str__(self) -> str:
        return "\n".join(self.lines())

    def lines(self) -> list[str]:
        """Return the comparison as lines of text."""
        return [
            *([f"identical, bit for bit: {', '.join(self.same)}"] if self.same else []),
            *(f"different: {line}" for line in self.different),
            *(
                f"not compared: {name}, a metric of the user; replay(results, metrics={{...}}) compares it"
                for name in self.not_compared
            ),
            *(f"not as recorded: {line}" for line in self.versions),
        ]


def replay(
    recorded: RecordedRun,
    threads: int | None = None,
    progress: Callable[[int], None] | None = None,
    *,
    metrics: Mapping[str, UserMetric] | None = None,
    model: Callable[..., Any] | str | None = None,
) -> Replay:
    """Run the experiment of a results file again, in memory, and compare.

    A truth and rewards from data files are read from the results file, so that the data files are not needed. For an
    unfinished run, its committed generations are compared.

    Parameters
    ----------
    recorded : the recorded run.
    threads, progress : see `simulate`.
    metrics : the functions of the metrics of the user; those that are not given are not compared.
    model : the estimator of an estimator run, see `simulate`; results import no code.

    Raises
    ------
    InputError
        See `simulate`; or no generation is recorded, a data file has changed, or the stop condition needs a metric of
        the user that is not given.
    """
    if recorded.last < 0:
        raise InputError(f"a replay must have at least one finished generation, got none in {recorded.path}")
    experiment, metrics = recorded.experiment, _known(recorded, metrics or {})
    plan = plan_run(
        experiment if model is None else experiment.with_code(model),
        truth=recorded_truth(recorded),
        first_replicate=recorded.first_replicate,
        recorded=recorded,
        metrics=metrics,
    )
    plan = replace(plan, engine=recorded.engine)
    changed = changed_files(recorded.inputs, plan.inputs)
    if changed:
        raise InputError(f"{recorded.path or 'a run'} cannot be replayed: {'; '.join(changed)}")
    repeated = execute(plan, threads=threads, progress=progress)
    last, not_compared = recorded.last, tuple(name for name in recorded.user_metrics if name not in plan.metrics)
    same: list[str] = []
    different: list[str] = []
    for what in ("metrics", "states"):
        for name, values in getattr(recorded, what).items():
            if name in not_compared:
                continue
            new = getattr(repeated, what).get(name)
            label = f"state {name}" if what == "states" and name in recorded.metrics else name
            if new is None:
                different.append(f"{label}: this version does not compute it")
                continue
            _compare(label, np.asarray(values), np.asarray(new)[:, : last + 1], same, different)
    for name in recorded.sample_names:
        rows, new_rows = recorded.sample_rows(name), repeated.sample_rows(name)
        n_rows = len(rows.indptr)
        indptr, values = new_rows.indptr[:n_rows], new_rows.values[: new_rows.indptr[n_rows - 1]]
        equal = np.array_equal(rows.indptr, indptr) and np.array_equal(_bits(rows.values), _bits(values))
        if equal:
            same.append(name)
        else:
            different.append(f"{name}: the samples differ")
    old, new = recorded.reader.forgotten, repeated.reader.forgotten
    if old is not None and new is not None:
        _compare("forgotten", np.asarray(old), np.asarray(new), same, different)
    old, new = recorded.first_passage, repeated.first_passage
    if old is not None and new is not None:
        (same if np.array_equal(old, new) else different).append("first_passage")
    if recorded.has_trajectory:
        wrong = next(
            (
                f"replicate {r}, generation {t}"
                for t in range(1, last + 1)
                for r in range(recorded.n_replicates)
                if not all(
                    np.array_equal(a, b) for a, b in zip(recorded.counts(r, t), repeated.counts(r, t), strict=True)
                )
            ),
            None,
        )
        if wrong is None:
            same.append("counts")
        else:
            different.append(f"counts: first at {wrong}")
    return Replay(tuple(same), tuple(different), changes(recorded.provenance, provenance()), not_compared)


def _known(recorded: RecordedRun, metrics: Mapping[str, UserMetric]) -> Mapping[str, UserMetric]:
    """Return the given functions.

    Raises
    ------
    InputError
        The run has no metric of the user with such a name, or its stop condition needs one that is not given.
    """
    for name in named_metrics(metrics):
        if name not in recorded.user_metrics:
            known = ", ".join(recorded.user_metrics) or "none"
            raise InputError(f"metrics must be those of the user in the results ({known}), got {name!r}")
    stop = recorded.experiment.run.stop
    for name in () if stop is None else StopCondition(stop).names:
        if name in recorded.user_metrics and name not in metrics:
            raise InputError(
                f"{recorded.path or 'a run'} cannot be replayed without {name}, a metric of the user in run.stop: "
                f"give replay(..., metrics={{{name!r}: function}})"
            )
    return metrics


def _compare(name: str, old: np.ndarray, new: np.ndarray, same: list[str], different: list[str]) -> None:
    # Bits are compared, not values: NaN equals NaN, and -0.0 differs from 0.0.
    unequal = np.argwhere(_bits(old) != _bits(new)) if old.shape == new.shape else None
    if unequal is None:
        different.append(f"{name}: shape {old.shape} became {new.shape}")
    elif unequal.size:
        # The first difference by generation and then replicate.
        where = tuple(unequal[np.lexsort((unequal[:, 0], unequal[:, 1]))[0]] if name != "forgotten" else unequal[0])
        place = f"replicate {where[0]}, {'symbol' if name == 'forgotten' else 'generation'} {where[1]}"
        if len(where) > 2:
            place += f", entry {', '.join(str(i) for i in where[2:])}"
        different.append(
            f"{name}: {len(unequal):,} of {old.size:,} values, first at {place}: "
            f"{old[where].item()!r} became {new[where].item()!r}"
        )
    else:
        same.append(name)


def _bits(values: np.ndarray) -> np.ndarray:
    return values.view(np.uint64) if values.dtype == np.float64 else values
