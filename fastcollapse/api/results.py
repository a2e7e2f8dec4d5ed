"""Results of a run: its recorded data, and what a user does with them."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastcollapse.errors import InputError, UnreadableResults
from fastcollapse.simulation.recorded_run import RecordedRun

if TYPE_CHECKING:
    import xarray

    from fastcollapse.simulation.profile.definitions import Finding


class Results(RecordedRun):
    """Results of a run, read-only, from memory or from a file.

    Generation t is the state after t refits; generation 0 is the initial model, which is the truth.

    Parameters
    ----------
    reader : the reader that `Store.finish` or `open_file` returns.
    """

    def text(self, generation: int | None = None, replicate: int = 0, n: int = 5, seed: int | None = None) -> list[str]:
        """Return sentences of a generation, sampled from its counts: what the model of that generation writes.

        Counts that the run has not recorded are computed again, for this replicate and up to this generation.

        Parameters
        ----------
        generation : 0 to T; by default the last.
        replicate : 0 to R - 1.
        n : number of sentences, independent of each other.
        seed : seed of the sentences; by default that of the run. The same arguments give the same sentences.

        Raises
        ------
        InputError
            An argument is out of range, or the family has no text.
        """
        from fastcollapse.simulation.sampled_text import sample_text  # computes counts again, with kernels

        return sample_text(self.experiment, self._reader, generation, replicate, n=n, seed=seed)

    def profile(self, **thresholds: Any) -> "tuple[Finding, ...]":
        """Return what the run says about each definition of model collapse in use, one `Finding` each.

        Parameters
        ----------
        thresholds : keys of `fastcollapse.config.thresholds.Thresholds`, such as `catastrophic=5`. Their defaults are
            choices of this project.

        Raises
        ------
        InputError
            A key is unknown or refused, or no generation is finished.

        References
        ----------
        After arXiv:2503.03150.
        """
        from fastcollapse.config.section_base import build
        from fastcollapse.config.thresholds import Thresholds
        from fastcollapse.simulation.profile.evaluate import profile_of  # imports SciPy

        return profile_of(self, build(Thresholds, thresholds))

    def to_xarray(self) -> "xarray.Dataset":
        """Return metrics, states and extinction times with dimensions replicate, generation and symbol.

        A sample NAME is a contiguous ragged array of the CF conventions: NAME has the points of all rows, and NAME_size
        (generation, replicate) has their numbers. Names, types and attributes are those of `xarray.open_dataset`.

        Raises
        ------
        InputError
            The package xarray is not installed.
        """
        from fastcollapse.simulation.xarray_dataset import xarray_dataset  # an extra

        return xarray_dataset(self._reader)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle results in memory with their arrays, and those of a file as its path."""
        if not self._reader.own_file:
            return Results, (self._reader,)
        return _open_pickled, (os.path.abspath(self._reader.path or ""), self.digest)


def _open_pickled(path: str, digest: str) -> Results:
    """Return the results of a file whose path was pickled.

    Raises
    ------
    UnreadableResults
        The file is gone, or has another run.
    """
    try:
        results = open_results(path)
    except InputError as error:
        raise UnreadableResults(f"{error} (results of a file are pickled as its path)") from error
    if results.digest != digest:
        raise UnreadableResults(f"{path}: has another run than the results that were pickled as its path")
    return results


def open_results(path: str | Path) -> Results:
    """Open the results of a run that is finished, still running, or was stopped.

    Parameters
    ----------
    path : the results file of the run.

    Raises
    ------
    UnreadableResults
        The file is missing, not of fastcollapse, truncated, damaged, or of a newer format.
    InputError
        The path is of something else, such as the folder of a sweep; the message names the call that is meant.

    Examples
    --------
    >>> open_results("nowhere.h5")
    Traceback (most recent call last):
    ...
    fastcollapse.errors.UnreadableResults: nowhere.h5: no such file
    """
    from fastcollapse.storage.readers import open_file  # h5py takes 0.1 s to import
    from fastcollapse.sweeps.path_kinds import call_for

    with call_for(path, "results"):
        return Results(open_file(path))
