"""Results of a run: its recorded data, and what a user does with them."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastcollapse.simulation.recorded_run import RecordedRun

if TYPE_CHECKING:
    import numpy as np
    import xarray
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from fastcollapse.analysis.comparison import Comparison
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

    def compare(self) -> "Comparison":
        """Return the comparison with theory: a table of points with their scores, and why others have none.

        Raises
        ------
        InputError
            No generation is finished.
        """
        from fastcollapse.analysis.comparison import compare  # imports SciPy

        return compare(self)

    def summary(self) -> str:
        """Return the summary that the command prints: what was run, its tables beside theory, notes."""
        from fastcollapse.analysis.report import summary

        return summary(self)

    def plot(
        self,
        panel: str | None = None,
        axes: "Axes | Sequence[Axes] | np.ndarray | None" = None,
        *,
        legend: bool = True,
    ) -> "Figure | Axes | np.ndarray":
        """Draw the figure of the run, or one panel of it, simulation beside theory.

        Notebooks show the figure without pyplot, which does not know it; `figure.savefig` writes it. For a window of
        pyplot give its axes: `results.plot(axes=plt.subplots(1, 2)[1])`.

        Parameters
        ----------
        panel : name of the only panel that is drawn: a panel of the family, see "recipe.panels", or a metric. By
            default the whole figure.
        axes : the axes to draw into, one for each plot; by default those of a new figure.
        legend : whether a legend is below each plot.

        Returns
        -------
        Figure or Axes
            The figure; with `panel` its Axes, or an array of Axes where the panel has several plots.

        Raises
        ------
        InputError
            No generation is finished, no panel has this name, or the number of axes is another.
        """
        from fastcollapse.analysis.figures import plot

        return plot(self, panel, axes, legend)

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


def open_results(path: str | Path) -> Results:
    """Open the results of a run that is finished, still running, or was stopped.

    Parameters
    ----------
    path : the results file of the run.

    Raises
    ------
    UnreadableResults
        The file is missing, not of fastcollapse, truncated, damaged, or of a newer format.

    Examples
    --------
    >>> open_results("nowhere.h5")
    Traceback (most recent call last):
    ...
    fastcollapse.errors.UnreadableResults: nowhere.h5: no such file
    """
    from fastcollapse.storage.readers import open_file  # h5py takes 0.1 s to import

    return Results(open_file(path))
