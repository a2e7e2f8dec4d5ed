"""Results of a sweep: its points, from its folder or from a collected file, and what a user does with them."""

import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fastcollapse.api.results import Results
from fastcollapse.api.results_html import sweep_html
from fastcollapse.config.arguments import check_path
from fastcollapse.errors import InputError
from fastcollapse.sweeps.axes import named_axes, value_labels
from fastcollapse.sweeps.collected_results import CollectedSweep
from fastcollapse.sweeps.collected_results import open_sweep as find_sweep
from fastcollapse.sweeps.folder import SweepFolder
from fastcollapse.sweeps.points import Sweep
from fastcollapse.sweeps.status import SweepStatus, sweep_status

if TYPE_CHECKING:
    import pandas
    import xarray
    from matplotlib.figure import Figure

    from fastcollapse.analysis.sweep_choice import Choice
    from fastcollapse.analysis.sweep_comparison import SweepComparison


class SweepResults:
    """Results of a sweep, read-only: a folder that `run_sweep` has written, or the file that `save` makes of it.

    Parameters
    ----------
    source : the opened folder or file; `open_sweep` opens one.
    """

    def __init__(self, source: SweepFolder | CollectedSweep) -> None:
        self._source = source

    @property
    def path(self) -> Path:
        """The folder of the sweep, or its collected file."""
        return self._source.path

    @property
    def sweep(self) -> Sweep:
        """The sweep with its seed: `sweep[n]` has the experiment of point n and its values."""
        return self._source.sweep

    @property
    def done(self) -> list[int]:
        """Numbers of the finished points, ascending; in a folder those of this moment."""
        return sorted(self._source.done())

    @property
    def parameters(self) -> dict[str, np.ndarray]:
        """Name of each swept parameter -> its values: int64, float64 or text [n]."""
        return {p.name: p.values for axis in named_axes(self.sweep) for p in axis.parameters}

    def __len__(self) -> int:
        return len(self.sweep)

    def __iter__(self) -> Iterator[Results]:
        """Yield the results of the finished points, in the order of their numbers."""
        return (self.results(point) for point in self.done)

    def results(self, point: int | Mapping[str, Any]) -> Results:
        """Return the results of a point; those of a collected file have metrics alone.

        Parameters
        ----------
        point : the number of a finished point, from 0; or its values, {"n_samples": 100}, of parameters by name or key.

        Raises
        ------
        InputError
            There is no such point, or it is not finished.
        """
        index = self._index(point) if isinstance(point, Mapping) else point
        if isinstance(index, bool) or not isinstance(index, int | np.integer) or not 0 <= index < len(self):
            raise InputError(f"point must be a number from 0 to {len(self) - 1}, or a mapping of values, got {point!r}")
        if int(index) not in self._source.done():
            raise InputError(f"point must be one that is finished, got {index} ({self.sweep[int(index)].label})")
        return Results(self._source.results(int(index)).reader)

    def _index(self, values: Mapping[str, Any]) -> int:
        """Return the number of the point with these values."""
        from fastcollapse.analysis.sweep_axes import fixed_entries  # imports the panels

        axes = named_axes(self.sweep)
        entries = fixed_entries(axes, _texts(values), set())
        for axis in axes:
            names = [text for parameter in axis.parameters for text in (parameter.name, parameter.key)]
            if axis.length > 1 and not set(names) & set(values):
                raise InputError(f"point must have a value of {axis.parameters[0].name}, got {dict(values)!r}")
        return int(np.ravel_multi_index(entries, self.sweep.shape))

    def status(self) -> SweepStatus:
        """Return which points are done, running, failed or missing; its `str` is what `fastcollapse status` prints."""
        if isinstance(self._source, SweepFolder):
            return sweep_status(self.path)
        return SweepStatus(self.path, self.sweep, frozenset(self.done), {}, {}, frozenset())

    def compare(self) -> "SweepComparison":
        """Compare every finished point with its theory: a line a point, the worst first.

        The scores are those of the collected file, if it has some; otherwise they are computed.

        Raises
        ------
        InputError
            No point is finished, or the data of a point have changed.
        """
        from fastcollapse.analysis.sweep_comparison import compare_sweep  # imports SciPy

        return compare_sweep(self._source)

    def cite(self) -> str:
        """Return BibTeX of the package, and of the source, theory and data of the points; see `fastcollapse.cite`."""
        from fastcollapse.analysis.citations import citations_of_sweep  # imports SciPy

        return citations_of_sweep(self._source).bibtex()

    def summary(self) -> str:
        """Return the status of the sweep, its first finished experiment in words, and its comparison with theory."""
        from fastcollapse.analysis.report import describe  # imports the panels

        parts = [str(self.status())]
        if self.done:
            first = self.done[0]
            parts += [f"Point {first}:\n{describe(self.results(first))}", str(self.compare())]
        return "\n\n".join(parts)

    def plot(
        self,
        over: str | Sequence[str] = (),
        fixed: Mapping[str, Any] | None = None,
        *,
        generation: int | None = None,
        heat_map: bool | None = None,
        width: str | float | None = None,
        style: str = "screen",
        title: str | None = None,
    ) -> "Figure":
        """Return the figure of the sweep: one generation over one or two parameters, beside theory.

        Parameters
        ----------
        over : names of one or two parameters, the first along the axis; by default those of its recipe, else
            those with most values.
        fixed : name of another parameter -> its value; by default that of the recipe, else its first one.
        generation : generation that is drawn; by default the last.
        heat_map : whether it is a heat map instead of curves; by default as the recipe says, else by the number
            of values.
        width, style, title : as in `Results.plot`.

        Raises
        ------
        InputError
            A parameter or value is not one of the sweep, or no point can be drawn.
        """
        from fastcollapse.analysis.figures import Look  # imports Matplotlib
        from fastcollapse.analysis.sweep_figures import draw_sweep

        choice = _choice(over, fixed, generation, heat_map)
        return draw_sweep(self._source, choice, Look(style, width, title))

    def caption(
        self,
        over: str | Sequence[str] = (),
        fixed: Mapping[str, Any] | None = None,
        *,
        generation: int | None = None,
        heat_map: bool | None = None,
    ) -> str:
        """Return the caption of the figure of the sweep; parameters as in `plot`."""
        from fastcollapse.analysis.sweep_figures import sweep_caption  # imports Matplotlib

        return sweep_caption(self._source, _choice(over, fixed, generation, heat_map))

    def save(self, path: str | Path, scores: bool = True) -> Path:
        """Write the finished points into one new file, and return its path; `open_sweep` and xarray open it.

        Trajectories are not copied.

        Parameters
        ----------
        path : the new file, which ends in .h5 or .hdf5.
        scores : whether the file has the scores of each point against theory, which take some 10 ms a point.

        Raises
        ------
        InputError
            The sweep is in a collected file already, the file exists or cannot be made, or no point is finished.
        """
        from fastcollapse.analysis.sweep_comparison import collect_compared  # imports SciPy
        from fastcollapse.sweeps.collect import collect_sweep

        if isinstance(self._source, CollectedSweep):
            raise InputError(f"{self.path} is a collected sweep already: copy the file")
        if scores:
            collect_compared(self.path, path)
        else:
            collect_sweep(self.path, path)
        return Path(path)

    def to_xarray(self) -> "xarray.Dataset":
        """Return the metrics of all points, over the swept parameters, replicates and generations.

        It is the data set of the collected file without its scores; points that are not finished are NaN.

        Raises
        ------
        InputError
            The package xarray or h5netcdf is not installed, or no point is finished.
        """
        try:
            import h5netcdf  # noqa: F401
            import xarray  # an extra
        except ImportError as error:
            raise InputError("to_xarray must have xarray and h5netcdf: pip install xarray h5netcdf") from error
        if isinstance(self._source, CollectedSweep):
            return xarray.load_dataset(self.path, engine="h5netcdf")
        with tempfile.TemporaryDirectory() as folder:
            return xarray.load_dataset(self.save(Path(folder) / "sweep.h5", scores=False), engine="h5netcdf")

    def to_dataframe(self) -> "pandas.DataFrame":
        """Return every number as a row, in the columns of `TidyTable`, which `fastcollapse export` writes too.

        Raises
        ------
        InputError
            The package pandas is not installed, or no point is finished.
        """
        from fastcollapse.analysis.tidy_table import TidyTable
        from fastcollapse.simulation.optional_packages import extra

        with extra("pandas", "to_dataframe"):
            import pandas
        return pandas.DataFrame(TidyTable(self._source).whole())

    def __repr__(self) -> str:
        axes = self.status().axes
        return f"<SweepResults {self.path}: {len(self.done):,} of {len(self):,} points finished; {axes}>"

    def _repr_html_(self) -> str:
        return sweep_html(self._source, self.status)

    def __reduce__(self) -> tuple[Any, ...]:
        return open_sweep, (os.path.abspath(self.path),)


def _choice(
    over: str | Sequence[str], fixed: Mapping[str, Any] | None, generation: int | None, heat_map: bool | None
) -> "Choice":
    """Return the options of a figure."""
    from fastcollapse.analysis.sweep_choice import Choice  # imports the panels

    names = (over,) if isinstance(over, str) else tuple(over)
    return Choice(names, _texts(fixed or {}), generation, heat_map)


def _texts(values: Mapping[str, Any]) -> dict[str, str]:
    """Return values as the texts that name them."""
    return {name: value_labels([value])[0] for name, value in values.items()}


def open_sweep(path: str | Path) -> SweepResults:
    """Open the folder of a sweep, finished or not, or a collected sweep.

    Parameters
    ----------
    path : the folder that `run_sweep` has written, or the file that `SweepResults.save` or `collect` has made of it.

    Raises
    ------
    InputError
        The path is of something else; the message names the call that is meant.
    UnreadableResults
        A collected sweep is damaged.

    Examples
    --------
    >>> open_sweep("nowhere")
    Traceback (most recent call last):
    ...
    fastcollapse.errors.InputError: nowhere must be the folder of a sweep, or a collected sweep, got no such path
    """
    from fastcollapse.sweeps.path_kinds import call_for

    path = check_path("path", path)
    with call_for(path, "sweep folder", "collected"):
        source = find_sweep(path)
        if source is None:
            what = "something else" if os.path.lexists(path) else "no such path"
            raise InputError(f"{path} must be the folder of a sweep, or a collected sweep, got {what}")
    return SweepResults(source)
