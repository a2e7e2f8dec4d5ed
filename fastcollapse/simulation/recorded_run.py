"""Recorded data of a run, read-only, from memory or from a file."""

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fastcollapse.config.fields import check_index
from fastcollapse.datasets.sentences import Sentences
from fastcollapse.errors import InputError
from fastcollapse.storage.base import Reader
from fastcollapse.variables import SampleRows

if TYPE_CHECKING:
    from fastcollapse.config.sections import Recipe
    from fastcollapse.simulation.experiment import Experiment
    from fastcollapse.variables import Coordinate, Variable


class RecordedRun:
    """Recorded data of a run up to its last committed generation; `fastcollapse.Results` adds what a user does with it.

    Generation t is the state after t refits; generation 0 is the initial model, which is the truth.

    Parameters
    ----------
    reader : the reader that `Store.finish` or `open_file` returns.
    """

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    @property
    def reader(self) -> Reader:
        """The reader of the store or file."""
        return self._reader

    @property
    def path(self) -> Path | None:
        """The results file; None for a run in memory."""
        return self._reader.path

    @property
    def metrics(self) -> Mapping[str, np.ndarray]:
        """Name -> float64[R, T + 1, ...], read-only; NaN where a metric was not evaluated."""
        return self._reader.metrics

    @property
    def states(self) -> Mapping[str, np.ndarray]:
        """Name -> float64[R, T + 1, ...], read-only: the recorded states of a family without counts."""
        return self._reader.states

    @property
    def variables(self) -> "Mapping[str, Variable]":
        """Name -> variable, of metrics, states and samples: long name, units and further dimensions."""
        return {**self._reader.header.variables, **self._reader.header.samples}

    @property
    def user_metrics(self) -> tuple[str, ...]:
        """Names of the metrics whose functions the user gave: no replay without these functions has them."""
        return tuple(name for name, variable in self._reader.header.metrics.items() if variable.of_user)

    @property
    def coordinates(self) -> "Mapping[str, Coordinate]":
        """Dimension -> coordinate: `values` int64 or float64 [n], read-only, long name and units."""
        return self._reader.header.coordinates

    @property
    def generation(self) -> np.ndarray:
        """int64[T + 1]: 0, 1, ..., last committed generation."""
        return np.arange(self.last + 1, dtype=np.int64)

    @property
    def last(self) -> int:
        """Last committed generation; -1 if the run was killed before it committed generation 0."""
        return self._reader.n_committed

    @property
    def n_replicates(self) -> int:
        """Number of independent runs R."""
        return self._reader.header.n_replicates

    @property
    def complete(self) -> bool:
        """Whether the run reached its last generation, or the end by its stop condition."""
        return self.last >= 0 and (self.finished or self.last == self._reader.header.n_generations)

    @property
    def finished(self) -> bool:
        """Whether the run is finished. If not, it is still running, or was stopped and can be resumed."""
        return self._reader.finished

    @property
    def first_replicate(self) -> int:
        """Number of the first replicate; not 0 in a part of a split run."""
        return self._reader.header.first_replicate

    @property
    def has_trajectory(self) -> bool:
        """Whether the counts of every generation are stored."""
        return self._reader.header.trajectory

    @property
    def engine(self) -> str:
        """Engine: "symbols" or "spectrum" for a discrete family, otherwise "": whether a run has single symbols."""
        engines = self.experiment.model.engines
        return (self._reader.header.engine or engines[0]) if engines else ""

    @property
    def forgotten(self) -> np.ndarray | None:
        """Extinction time (generation of first absence): int32[R, K], -1 not within the run, 0 never present.

        None before the end of the run, and for families without it.

        Raises
        ------
        InputError
            The run has the spectrum engine.
        """
        self._check_symbols("extinction times of symbols")
        return self._reader.forgotten

    @property
    def first_passage(self) -> np.ndarray | None:
        """First generation that meets `run.stop`: int32[R], -1 not within the run.

        None before the end of the run, and for runs without a stop condition.
        """
        return self._reader.first_passage

    @property
    def truth(self) -> Any:
        """Distribution of generation 0 of a discrete family, or the `Sentences` of a text.

        For other families see `experiment.truth`. A discrete run with the spectrum engine has a `CountSpectrum` or a
        `ZipfMandelbrotLaw`.

        Raises
        ------
        InputError
            The family has no truth over symbols.
        """
        if self._reader.header.truth is None:
            raise InputError(f"the {self.experiment.family} family has no truth over symbols, use experiment.truth")
        return self._reader.header.truth

    @property
    def real_size(self) -> int | None:
        """Number of tokens of the real data, or what its family counts; None for a law, and without recorded data."""
        truth = self._reader.header.truth
        if truth is None:
            return None
        # Results are read without importing the families.
        from fastcollapse.models.registry import family

        return family(self.experiment.family).truth_total(truth, self.experiment.model)

    @cached_property
    def experiment(self) -> "Experiment":
        """The experiment with its resolved seed. Another run of it gives the same numbers."""
        # Results are read without importing the families.
        from fastcollapse.simulation.recorded_experiment import recorded_experiment

        return recorded_experiment(self._reader.header, self._name)

    @property
    def experiment_text(self) -> str:
        """The text of the experiment file, unchanged, or ""."""
        return self._reader.header.experiment_text

    @cached_property
    def recipe(self) -> "Recipe | None":
        """The figure of the run, read from `experiment_text`; None for a run without one."""
        from fastcollapse.simulation.recorded_experiment import recorded_recipe

        return recorded_recipe(self.experiment_text, self._name)

    @property
    def _name(self) -> str:
        return "results in memory" if self.path is None else str(self.path)

    @property
    def digest(self) -> str:
        """SHA-256 of the experiment in hexadecimal."""
        return self._reader.header.digest

    @property
    def inputs(self) -> Mapping[str, str]:
        """SHA-256 of the data files that the run has read, by path; empty for a run without, or of version 0.1."""
        return self._reader.header.inputs

    @property
    def rewards(self) -> "np.ndarray | None":
        """Reward of each symbol, float64[K], if the run has read them from a file; otherwise None."""
        return self._reader.header.rewards

    @property
    def provenance(self) -> dict[str, Any]:
        """Versions, machine and date of the run."""
        return self._reader.header.provenance

    def counts(self, replicate: int, generation: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the symbols, or the cells of a text, with counts above 0 in a generation, and their counts.

        Parameters
        ----------
        replicate : 0 to R - 1.
        generation : 0 to T; 0 is the real data.

        Returns
        -------
        symbols : int64[n], ascending, indices into the truth, or into its cells.
        counts : int64[n], at least 1. In a run with `weight` or `discount`, generations from 1 on have weights instead,
            float64[n], above 0, which sum to 1 within 1e-12.

        Raises
        ------
        InputError
            An index is out of range, counts are not recorded, generation is 0 and the truth has no counts, or the run
            has the spectrum engine.
        """
        self._check_symbols("counts of symbols")
        if not self._reader.header.n_columns:
            raise InputError(
                f"counts need a family with counts, got {self.experiment.family}, whose states are `states`"
            )
        replicate = check_index("replicate", replicate, self.n_replicates - 1)
        if self.last < 0:
            raise InputError(f"generation must be finished, got {generation!r}: none is finished yet")
        generation = check_index("generation", generation, self.last)
        if generation > 0:
            if not self.has_trajectory:
                raise InputError('run.record must contain "trajectory" for counts of generations >= 1, got none')
            return self._reader.counts(replicate, generation)
        counts = self._truth_counts
        if counts is None:
            source = "" if self._reader.header.truth is None else f" ({self.truth.source})"
            raise InputError(f"generation must be at least 1, got 0: the truth{source} has no counts")
        symbols = np.flatnonzero(counts)
        return symbols, counts[symbols].astype(np.int64)

    @property
    def has_real_counts(self) -> bool:
        """Whether generation 0 has counts: those of the real data; a law has none."""
        self._check_symbols("counts of symbols")
        return self._truth_counts is not None

    @cached_property
    def _truth_counts(self) -> np.ndarray | None:
        """Counts of the real data in the columns of the trajectory; None for a law."""
        if self._reader.header.truth is None:
            return None
        if not isinstance(self.truth, Sentences):
            counts: np.ndarray | None = self.truth.counts
            return counts
        from fastcollapse.models.registry import family  # see `real_size`

        sampler = family(self.experiment.family).text_sampler(self.truth, self.experiment.model)
        return None if sampler is None else sampler.counts

    def _check_symbols(self, what: str) -> None:
        """Refuse a run without single symbols."""
        if self._reader.header.engine == "spectrum":
            raise InputError(f"{what} need a run with model.engine = 'symbols', got one with the spectrum engine")

    @property
    def sample_names(self) -> tuple[str, ...]:
        """Names of the recorded states that are samples, see `sample`."""
        return tuple(self._reader.header.samples)

    def sample(self, name: str, replicate: int, generation: int) -> np.ndarray:
        """Return the sample of a replicate at a generation.

        Parameters
        ----------
        name : one of `sample_names`.
        replicate : 0 to R - 1.
        generation : 0 to T.

        Returns
        -------
        ndarray
            float64[n, ...], n points, n at least 0.

        Raises
        ------
        InputError
            An index is out of range, or the sample is not recorded.
        """
        self._check_sample(name)
        replicate = check_index("replicate", replicate, self.n_replicates - 1)
        generation = check_index("generation", generation, self.last)
        return self._reader.sample(name, replicate, generation)

    def sample_rows(self, name: str) -> SampleRows:
        """Return all rows of a recorded sample: row generation * R + replicate is values[indptr[row]:indptr[row + 1]].

        Raises
        ------
        InputError
            The sample is not recorded.
        """
        self._check_sample(name)
        return self._reader.sample_rows(name)

    def _check_sample(self, name: str) -> None:
        if name not in self.sample_names:
            is_kept = "trajectory" in self.experiment.run.record
            why = f"the {self.experiment.family} family has none" if is_kept else 'run.record must contain "trajectory"'
            known = ", ".join(self.sample_names) or f"none: {why}"
            raise InputError(f"the name of a recorded sample must be one of {known}, got {name!r}")

    def __repr__(self) -> str:
        place = self.path or "in memory"
        generations = f"{max(self.last, 0)} of {self._reader.header.n_generations} generations"
        return f"<{type(self).__name__} {place}: {self.n_replicates} replicates, {generations}>"


def open_run(path: str | Path) -> RecordedRun:
    """Return the recorded data of a run that is finished, still running, or was stopped.

    Parameters
    ----------
    path : the results file of the run.

    Raises
    ------
    UnreadableResults
        The file is missing, not of fastcollapse, truncated, damaged, or of a newer format.
    """
    from fastcollapse.storage.readers import open_file  # h5py takes 0.1 s to import

    return RecordedRun(open_file(path))


def check_run(path: str | Path, everything: bool = True, checksums_required: bool = True) -> RecordedRun:
    """Return the recorded data of a run as `open_run` does, and verify the checksums of its data.

    Parameters
    ----------
    path : the results file of the run.
    everything : whether counts and states of every generation, which may be large, are verified too.
    checksums_required : whether a file without checksums, which another tool has written, is refused; otherwise a
        warning says that it is not verified.

    Raises
    ------
    UnreadableResults
        See `open_run`; or a checksum does not match, or there are none.
    """
    from fastcollapse.storage.readers import check_file  # h5py takes 0.1 s to import

    return RecordedRun(check_file(path, everything, checksums_required))
