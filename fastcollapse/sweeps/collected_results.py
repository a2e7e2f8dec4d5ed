"""Reader of a collected sweep: the results of each point, with the loaded truth that theory needs."""

import os
from pathlib import Path
from typing import Any

import numpy as np

from fastcollapse.datasets.count_spectrum import stored_truth
from fastcollapse.datasets.data_files import changed_files
from fastcollapse.datasets.load import load_truth
from fastcollapse.errors import InputError, UnreadableResults
from fastcollapse.simulation.first_passage import first_passage_of
from fastcollapse.simulation.recorded_run import RecordedRun
from fastcollapse.simulation.version_0_1 import as_version_0_1
from fastcollapse.storage.attributes import COLLECTED_ROOT, OF_POINT, VARIABLE, VARIABLE_OPTIONAL, check_attributes
from fastcollapse.storage.base import Reader
from fastcollapse.storage.blocks import Block, Header, fits
from fastcollapse.storage.content import Content, array_of, coordinate_of
from fastcollapse.storage.hdf5_file import decoded, read_file
from fastcollapse.storage.layout import COLLECTED
from fastcollapse.storage.readers import check_data
from fastcollapse.sweeps.axes import RESERVED
from fastcollapse.sweeps.collect import data_crc32
from fastcollapse.sweeps.folder import SweepFolder
from fastcollapse.sweeps.manifest import MANIFEST, checked_manifest, sweep_of
from fastcollapse.sweeps.panel_scores import PanelScore, stored_scores
from fastcollapse.variables import Coordinate, Variable


class CollectedSweep:
    """Points of a collected sweep.

    Parameters
    ----------
    path : file that `collect_sweep` has written.
    content : its data sets and attributes.
    """

    def __init__(self, path: Path, content: Content) -> None:
        self.path = path
        self._content = content
        manifest = checked_manifest(path, check_attributes(content.attributes["/"], COLLECTED_ROOT)["sweep"])
        self.sweep = sweep_of(path, manifest)
        self._inputs: dict[str, str] = manifest.get("inputs", {})
        self._done = array_of(content, "done", "i1", self.sweep.shape).ravel()
        if "data_crc32" in content.arrays:
            array_of(content, "data_crc32", "u4", self.sweep.shape)

    def done(self) -> set[int]:
        """Return the finished points."""
        return set(np.flatnonzero(self._done).tolist())

    def check(self) -> int:
        """Compare all data with their checksums and return the number of finished points.

        Raises
        ------
        UnreadableResults
            A checksum does not match.
        """
        check_data(self.path)
        return len(self.done())

    def scores(self) -> dict[int, list[PanelScore]]:
        """Return the recorded scores against theory, by point; empty for a file without scores."""
        return decoded(self.path, lambda: stored_scores(self._content, self.sweep.shape))

    def results(self, index: int) -> RecordedRun:
        """Return the metrics of a point; trajectories and extinction times are only in the folder of the sweep.

        Raises
        ------
        InputError
            The point is not finished, or the data of its truth cannot be loaded or have changed.
        """
        if index not in self.done():
            raise InputError(f"point must be one that is done, got {index} of {self.path}")
        return decoded(self.path, lambda: self._results(index))

    def metrics(self, index: int) -> dict[str, np.ndarray]:
        """Return the metrics of a finished point without loading its truth: name -> float64[R, T + 1, ...]."""
        return decoded(self.path, lambda: self._metrics(index)[0])

    def _metrics(
        self, index: int
    ) -> tuple[dict[str, np.ndarray], dict[str, Variable], dict[str, Coordinate], np.ndarray | None]:
        """Return the metrics of a point, their variables, its coordinates and its first-passage times."""
        run = self.sweep[index].experiment.run
        n_replicates, n_columns = run.n_replicates, run.n_generations + 1
        arrays, attributes, n_axes = self._content.arrays, self._content.attributes, len(self.sweep.shape)
        position = np.unravel_index(index, self.sweep.shape)
        metrics, variables, coordinates = {}, {}, self._coordinates(position)
        for name, values in arrays.items():
            if values.ndim >= n_axes + 2 and values.dtype == np.float64:
                found = check_attributes(attributes[name], VARIABLE, VARIABLE_OPTIONAL)
                dims = tuple(found.get("dims", "").split())
                lengths = [len(coordinates[dim].values) if dim in coordinates else None for dim in dims]
                array_of(self._content, name, "f8", (*self.sweep.shape, None, None, *(None for _ in dims)))
                own = values[position][tuple(slice(n) for n in (n_replicates, n_columns, *lengths))]
                if not fits(own, (n_replicates, n_columns if run.stop is None else None, *lengths)):
                    raise ValueError(f"is damaged: {name} is too short for point {index} of the sweep")
                if not np.isnan(own).all():  # else it is a metric of another family
                    metrics[name] = own
                    variables[name] = Variable(found["long_name"], found["units"], dims)
        if not metrics:
            raise ValueError(f"is damaged: point {index} of the sweep has no metric")
        passage = first_passage_of(run.stop, variables, n_replicates)
        if passage is None:
            return metrics, variables, coordinates, None
        # The run ended where all replicates have met the condition; the file is as long as the longest run.
        length = passage.observe(0, metrics) or n_columns
        metrics = {name: values[:, :length] for name, values in metrics.items()}
        if any(values.shape[1] < length for values in metrics.values()):
            raise ValueError(f"is damaged: a metric is too short for point {index} of the sweep")
        return metrics, variables, coordinates, passage.times

    def _results(self, index: int) -> RecordedRun:
        experiment = self.sweep[index].experiment
        if not self._inputs:
            experiment = as_version_0_1(experiment)
        metrics, variables, coordinates, times = self._metrics(index)
        arrays, position = self._content.arrays, np.unravel_index(index, self.sweep.shape)
        truth = load_truth(experiment.truth, experiment.base)
        changed = changed_files(self._inputs, truth.inputs)
        if changed:
            raise InputError(f"{self.path}: {'; '.join(changed)}")
        engine = self._engine(position)
        stored = stored_truth(truth, engine)
        if "data_crc32" in arrays and data_crc32(stored) != arrays["data_crc32"][position]:
            raise InputError(f"{self.path}: the data of [truth] are not what they were (point {index} of the sweep)")
        header = Header(
            experiment_json=experiment.json,
            experiment_text=experiment.text,
            digest=experiment.digest,
            provenance={},
            n_replicates=experiment.run.n_replicates,
            n_generations=experiment.run.n_generations,
            metrics=variables,
            truth=stored,
            engine=engine,
            stop=experiment.run.stop or "",
            trajectory=False,
            coordinates=coordinates,
            inputs={**experiment.inputs, **truth.inputs},
        )
        blocks = [Block(0, metrics, None)]
        return RecordedRun(Reader(header, blocks, path=self.path, own_file=False, first_passage=times))

    def _engine(self, position: tuple[Any, ...]) -> str:
        """Return the engine of a point, "" for that of single symbols."""
        if "engine_in_use" not in self._content.arrays:
            return ""
        letters = array_of(self._content, "engine_in_use", "S1", (*self.sweep.shape, None))[position]
        return "spectrum" if b"".join(letters.tolist()) == b"spectrum" else ""

    def _coordinates(self, position: tuple[Any, ...]) -> dict[str, Coordinate]:
        """Return the coordinates of a point, shared ones and its own."""
        found = {}
        for name, values in self._content.arrays.items():
            attributes = self._content.attributes[name]
            if "of_point" in attributes:
                given = check_attributes(attributes, {**VARIABLE, **OF_POINT})
                own = array_of(self._content, name, "f8", (*self.sweep.shape, None))[position]
                own = own[np.isfinite(own)].astype(np.int64 if given["kind"] == "i" else np.float64)
                if own.size:
                    found[given["of_point"]] = Coordinate(own, given["long_name"], given["units"])
            elif values.ndim == 1 and "key" not in attributes and name not in RESERVED:
                found[name] = coordinate_of(self._content, name)
        return found


def open_sweep(path: str | Path) -> SweepFolder | CollectedSweep | None:
    """Open the folder of a sweep or a collected sweep; return None if the path is neither.

    Raises
    ------
    UnreadableResults
        A collected sweep is damaged.
    """
    path = Path(path)
    if os.path.lexists(path / MANIFEST):
        return SweepFolder(path)
    try:
        content = read_file(path)
    except (FileNotFoundError, UnreadableResults):
        return None  # the reader of results reports the error
    if content.attributes["/"].get("kind") != COLLECTED:
        return None
    check_data(path, checksums_required=False)
    return decoded(path, lambda: CollectedSweep(path, content))
