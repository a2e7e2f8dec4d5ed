"""Reader of a collected sweep: the results of each point, with the loaded truth that theory needs."""

import json
import os
from pathlib import Path
from typing import Any

import numpy as np

from fastcollapse.datasets.categorical import CategoricalDistribution
from fastcollapse.datasets.load import load_truth
from fastcollapse.errors import InputError, UnreadableResults
from fastcollapse.simulation.results import Results
from fastcollapse.storage.base import Reader
from fastcollapse.storage.blocks import Block, Header
from fastcollapse.storage.content import Content
from fastcollapse.storage.hdf5_file import decoded, read_file
from fastcollapse.storage.layout import COLLECTED
from fastcollapse.storage.readers import check_data
from fastcollapse.sweeps.axes import RESERVED
from fastcollapse.sweeps.collect import data_crc32
from fastcollapse.sweeps.folder import SweepFolder
from fastcollapse.sweeps.manifest import MANIFEST
from fastcollapse.sweeps.points import Sweep
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
        manifest = json.loads(content.attributes["/"]["sweep"])
        base = manifest["base"]
        sweep = Sweep(manifest["mapping"], None if base is None else Path(base), manifest["text"], True)
        self.sweep = sweep.resolve_seed(manifest["seed"])
        self._done = content.arrays["done"].ravel()

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

    def results(self, index: int) -> Results:
        """Return the metrics of a point; trajectories and extinction times are only in the folder of the sweep.

        Raises
        ------
        InputError
            The point is not finished, or the data of its truth cannot be loaded or have changed.
        """
        if index not in self.done():
            raise InputError(f"point must be one that is done, got {index} of {self.path}")
        experiment = self.sweep[index].experiment
        n_replicates, n_columns = experiment.run.n_replicates, experiment.run.n_generations + 1
        arrays, attributes, n_axes = self._content.arrays, self._content.attributes, len(self.sweep.shape)
        position = np.unravel_index(index, self.sweep.shape)
        metrics, variables, coordinates = {}, {}, self._coordinates(position)
        for name, values in arrays.items():
            if values.ndim >= n_axes + 2 and values.dtype == np.float64:
                dims = tuple(str(dim) for dim in attributes[name].get("dims", "").split())
                lengths = [len(coordinates[dim].values) if dim in coordinates else None for dim in dims]
                own = values[position][tuple(slice(n) for n in (n_replicates, n_columns, *lengths))]
                if not np.isnan(own).all():  # else it is a metric of another family
                    metrics[name] = own
                    variables[name] = Variable(attributes[name]["long_name"], attributes[name]["units"], dims)
        truth = load_truth(experiment.truth, experiment.base)
        if "data_crc32" in arrays and data_crc32(truth) != arrays["data_crc32"][position]:
            raise InputError(f"{self.path}: the data of [truth] are not what they were (point {index} of the sweep)")
        header = Header(
            experiment_json=experiment.json,
            experiment_text=experiment.text,
            digest=experiment.digest,
            provenance={},
            n_replicates=n_replicates,
            n_generations=experiment.run.n_generations,
            metrics=variables,
            truth=truth if isinstance(truth, CategoricalDistribution) else None,
            trajectory=False,
            coordinates=coordinates,
        )
        return Results(Reader(header, [Block(0, metrics, None)], path=self.path))

    def _coordinates(self, position: tuple[Any, ...]) -> dict[str, Coordinate]:
        """Return the coordinates of a point, shared ones and its own."""
        found = {}
        for name, values in self._content.arrays.items():
            attributes = self._content.attributes[name]
            if "of_point" in attributes:
                own = values[position]
                own = own[~np.isnan(own)].astype(np.int64 if attributes["kind"] == "i" else np.float64)
                if own.size:
                    found[str(attributes["of_point"])] = Coordinate(own, attributes["long_name"], attributes["units"])
            elif values.ndim == 1 and "key" not in attributes and name not in RESERVED:
                found[name] = Coordinate(np.array(values), attributes["long_name"], attributes["units"])
        return found


def open_sweep(path: str | Path) -> SweepFolder | CollectedSweep | None:
    """Open the folder of a sweep or a collected sweep; return None if the path is neither.

    Raises
    ------
    UnreadableResults
        A collected sweep is damaged.
    """
    path = Path(path)
    if os.path.isfile(path / MANIFEST):  # false for a name that is too long
        return SweepFolder(path)
    try:
        content = read_file(path)
    except (FileNotFoundError, UnreadableResults):
        return None  # the reader of results reports the error
    if content.attributes["/"].get("kind") != COLLECTED:
        return None
    check_data(path)
    return decoded(path, lambda: CollectedSweep(path, content))
