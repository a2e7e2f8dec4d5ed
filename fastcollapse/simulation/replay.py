"""Run a recorded experiment again and check that every number comes back bit for bit."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from fastcollapse.errors import InputError
from fastcollapse.simulation.provenance import changes, provenance
from fastcollapse.simulation.results import Results
from fastcollapse.simulation.run_plan import plan_run
from fastcollapse.simulation.same_experiment import recorded_truth
from fastcollapse.simulation.simulate import execute


@dataclass(frozen=True)
class Replay:
    """What came back and what did not.

    Parameters
    ----------
    same, different : names of what was compared, with the first difference where there is one.
    versions : packages and machine that are not what they were.
    """

    same: tuple[str, ...]
    different: tuple[str, ...]
    versions: tuple[str, ...]

    def lines(self) -> list[str]:
        """Return the comparison as lines of text."""
        return [
            *([f"identical, bit for bit: {', '.join(self.same)}"] if self.same else []),
            *(f"different: {line}" for line in self.different),
            *(f"not as recorded: {line}" for line in self.versions),
        ]


def replay(recorded: Results, threads: int | None = None, progress: Callable[[int], None] | None = None) -> Replay:
    """Run the experiment of a results file again, in memory, and compare.

    A truth that was data is the recorded one, so that the data file is not needed. Of an unfinished run, the
    generations that it has are compared.

    Parameters
    ----------
    threads, progress : as for `simulate`.

    Raises
    ------
    InputError
        As `simulate`; or nothing is recorded.
    """
    if recorded.last < 0:
        raise InputError(f"a replay must have at least one finished generation, got none in {recorded.path}")
    plan = plan_run(recorded.experiment, truth=recorded_truth(recorded), first_replicate=recorded.first_replicate)
    again = execute(plan, threads=threads, progress=progress)
    last = recorded.last
    same: list[str] = []
    different: list[str] = []
    for what in ("metrics", "states"):
        for name, values in getattr(recorded, what).items():
            new = getattr(again, what).get(name)
            shown = f"state {name}" if what == "states" and name in recorded.metrics else name
            if new is None:
                different.append(f"{shown}: this version does not compute it")
                continue
            _note(shown, np.asarray(values), np.asarray(new)[:, : last + 1], same, different)
    for name in recorded.sample_names:
        rows, new_rows = recorded.sample_rows(name), again.sample_rows(name)
        n_rows = len(rows.indptr)
        indptr, values = new_rows.indptr[:n_rows], new_rows.values[: new_rows.indptr[n_rows - 1]]
        equal = np.array_equal(rows.indptr, indptr) and np.array_equal(_bits(rows.values), _bits(values))
        if equal:
            same.append(name)
        else:
            different.append(f"{name}: the samples differ")
    if recorded.forgotten is not None and again.forgotten is not None:
        _note("forgotten", np.asarray(recorded.forgotten), np.asarray(again.forgotten), same, different)
    if recorded.has_trajectory:
        wrong = next(
            (
                f"replicate {r}, generation {t}"
                for t in range(1, last + 1)
                for r in range(recorded.n_replicates)
                if not all(np.array_equal(a, b) for a, b in zip(recorded.counts(r, t), again.counts(r, t), strict=True))
            ),
            None,
        )
        if wrong is None:
            same.append("counts")
        else:
            different.append(f"counts: first at {wrong}")
    return Replay(tuple(same), tuple(different), changes(recorded.provenance, provenance()))


def _note(name: str, old: np.ndarray, new: np.ndarray, same: list[str], different: list[str]) -> None:
    # Bits, not values: NaN equals itself and -0.0 is not 0.0.
    unequal = np.argwhere(_bits(old) != _bits(new)) if old.shape == new.shape else None
    if unequal is None:
        different.append(f"{name}: shape {old.shape} became {new.shape}")
    elif unequal.size:
        # The earliest generation first, and of a generation the first replicate.
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
