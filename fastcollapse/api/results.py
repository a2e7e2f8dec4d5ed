"""Results of a run: its recorded data, and what a user does with them."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastcollapse.api.results_html import results_html, results_line
from fastcollapse.config.arguments import check_path
from fastcollapse.errors import InputError, UnreadableResults
from fastcollapse.simulation.recorded_run import RecordedRun

if TYPE_CHECKING:
    import numpy as np
    import pandas
    import xarray
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from scipy.sparse import csr_array

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

    def report(self, path: str | Path, overwrite: bool = False) -> Path:
        """Write a page of HTML about the run: figure, agreement with theory, tables, what was run; return its path.

        Parameters
        ----------
        path : a new file that ends in .html.
        overwrite : whether an existing file is replaced.

        Raises
        ------
        InputError
            The path has another ending, exists, or cannot be written.
        """
        from fastcollapse.analysis.html_report.page import page_of, write_page  # imports matplotlib
        from fastcollapse.analysis.html_report.sections import run_section

        page = check_path("path", path)
        write_page(page_of([run_section(self)]), page, overwrite)
        return page

    def compare(self) -> "Comparison":
        """Return the comparison with theory: a table of points with their scores, and why others have none.

        Raises
        ------
        InputError
            No generation is finished.
        """
        from fastcollapse.analysis.comparison import compare  # imports SciPy

        return compare(self)

    def cite(self) -> str:
        """Return BibTeX of the package, and of the source, theory and data of the run; see `fastcollapse.cite`."""
        from fastcollapse.analysis.citations import citations_of  # imports SciPy

        return citations_of(self).bibtex()

    def summary(self) -> str:
        """Return the summary that the command prints: what was run, its tables beside theory, notes."""
        from fastcollapse.analysis.report import summary

        return summary(self)

    def plot(
        self,
        panel: str | Sequence[str] | None = None,
        axes: "Axes | Sequence[Axes] | np.ndarray | None" = None,
        *,
        legend: bool = True,
        width: str | float | None = None,
        style: str = "screen",
        title: str | None = None,
    ) -> "Figure | Axes | np.ndarray":
        """Draw the figure of the run, or some panels of it, simulation beside theory.

        Notebooks show the figure without pyplot, which does not know it; `figure.savefig` writes it. For a window of
        pyplot give its axes: `results.plot(axes=plt.subplots(1, 2)[1])`.

        Parameters
        ----------
        panel : name of the only panel that is drawn: a panel of the family, see "recipe.panels", or a metric; or
            several names. By default the whole figure.
        axes : the axes to draw into, one for each plot; by default those of a new figure.
        legend : whether there is a legend below the plots.
        width : "one" or "two" columns of a journal (3.3 and 6.9 inches), or a number of inches.
        style : "screen", or "paper": letters of 8 and 9 points, as in the files of `fastcollapse plot`.
        title : of the figure, "" for none; by default that of the recipe, or what was run.

        Returns
        -------
        Figure or Axes
            The figure; with the name of a panel its Axes, or an array of Axes where the panel has several plots.

        Raises
        ------
        InputError
            No generation is finished, no panel has this name, the number of axes is another, or a width or style is
            none of these.
        """
        from fastcollapse.analysis.figures import Look, plot

        return plot(self, panel, axes, Look(style, width, title, legend))

    def caption(self, panel: str | Sequence[str] | None = None) -> str:
        """Return the caption of the figure: title, source, what was run, what lines and bands are, and the verdict.

        Parameters
        ----------
        panel : as in `plot`.

        Raises
        ------
        InputError
            No generation is finished, or no panel has this name.
        """
        from fastcollapse.analysis.captions import caption_of
        from fastcollapse.analysis.figure_plots import plots_of_figure
        from fastcollapse.analysis.figures import names_of

        return caption_of(plots_of_figure([self], names_of(panel)))

    def panels(self) -> "xarray.Dataset":
        """Return what the figure draws, in its units: dimensions curve and point, padded with NaN.

        `x` (generation, or the point of another axis), `mean`, `sd`, `low` and `high` (the band), `theory`, `lower`,
        `upper` and `z` have a row for each curve, with its `panel`, `axis`, `label` and `group` as coordinates.
        `line_value` has a row for each further line of theory, with `line_label`, `line_kind` and `line_curve`.

        Raises
        ------
        InputError
            The package xarray is not installed, or no generation is finished.

        Examples
        --------
        `results.panels().drop_dims("line").to_dataframe()` is a table of the curves, and
        `results.panels().sel(curve="H")` the curve of heterozygosity.
        """
        from fastcollapse.analysis.panel_dataset import panel_dataset

        return panel_dataset(self)

    def to_dataframe(self) -> "pandas.DataFrame":
        """Return every recorded number of the metrics as a row, in the columns of `TidyTable`.

        These are metric, replicate, generation, each further dimension, and value; `fastcollapse export` writes them
        too.

        Raises
        ------
        InputError
            The package pandas is not installed, or no generation is finished.

        Examples
        --------
        `frame.pivot_table("value", ["replicate", "generation"], "metric")` has a column for each metric.
        """
        from fastcollapse.analysis.tidy_table import TidyTable
        from fastcollapse.simulation.optional_packages import extra

        with extra("pandas", "to_dataframe"):
            import pandas
        return pandas.DataFrame(TidyTable(self).whole())

    def to_xarray(self, trajectory: bool = False) -> "xarray.Dataset":
        """Return metrics, states and extinction times with dimensions replicate, generation and symbol.

        A sample NAME is a contiguous ragged array of the CF conventions: NAME has the points of all rows, and NAME_size
        (generation, replicate) has their numbers. Names, types and attributes are those of `xarray.open_dataset`.

        Parameters
        ----------
        trajectory : whether `counts` (replicate, generation, symbol) is added, a dense array with 8 bytes an entry, of
            at most 256 MiB. States and samples of other families are there anyway.

        Raises
        ------
        InputError
            The package xarray is not installed, or counts are not recorded or too large.
        """
        from fastcollapse.simulation.xarray_dataset import xarray_dataset

        return xarray_dataset(self, trajectory)

    def counts_matrix(self, replicate: int) -> "csr_array":
        """Return the counts of a replicate as a sparse matrix of SciPy: a row a generation, a column a symbol or cell.

        Parameters
        ----------
        replicate : 0 to R - 1.

        Returns
        -------
        csr_array
            int64[T + 1, K], or float64 for a run with weights, see `counts`. Row 0 is the real data; it is empty if the
            truth is a law, which has no counts.

        Raises
        ------
        InputError
            See `counts`.
        """
        from fastcollapse.simulation.counts_matrix import counts_matrix

        return counts_matrix(self, replicate)

    def save(self, path: str | Path, overwrite: bool = False) -> None:
        """Write the results to a new results file, with equal bits, as `simulate` with a path does.

        Parameters
        ----------
        path : a new file that ends in .h5 or .hdf5.
        overwrite : whether an existing results file is replaced; it stays until the new one is complete.

        Raises
        ------
        InputError
            The path exists or cannot be written, or the run is not finished.
        StoreError
            The file cannot be written.
        """
        from fastcollapse.simulation.save_results import save_run

        save_run(self, check_path("path", path), overwrite)

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {results_line(self)}>"

    def _repr_html_(self) -> str:
        return results_html(self)

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

    path = check_path("path", path)
    with call_for(path, "results"):
        return Results(open_file(path))
