"""A collected sweep, read again: each of its points as results, the truth loaded where theory needs it."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from fastcollapse.datasets.categorical import CategoricalDistribution
from fastcollapse.datasets.load import load_truth
from fastcollapse.errors import InputError, UnreadableResults
from fastcollapse.simulation.results import Results
from fastcollapse.storage.base import Block, Header, Reader
from fastcollapse.storage.hdf5_file import decoded, read_file
from fastcollapse.storage.layout import COLLECTED, Content
from fastcollapse.storage.readers import check_data
from fastcollapse.sweeps.axes import RESERVED
from fastcollapse.sweeps.collect import data_crc32
from fastcollapse.sweeps.folder import SweepFolder
from fastcollapse.sweeps.manifest import MANIFEST
from fastcollapse.sweeps.points import Sweep
from fastcollapse.variables import Coordinate, Variable


class Collected:
    """The points of a collected sweep.

    Parameters
    ----------
    path : what `collect` wrote.
    content : what is in it.
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
        """Return the points that are there."""
        return set(np.flatnonzero(self._done).tolist())

    def check(self) -> int:
        """Return how many points are there, all data having been checked.

        Raises
        ------
        UnreadableResults
            Data are not what was written.
        """
        check_data(self.path)
        return len(self.done())

    def results(self, index: int) -> Results:
        """Return the metrics of a point; its trajectory and forgetting times are in the folder of the sweep.

        Raises
        ------
        InputError
            The point is not there, or its truth cannot be loaded, or has changed.
        """
        if index not in self.done():
            raise InputError(f"point must be one that is done, got {index} of {self.path}")
        experiment = self.sweep[index].experiment
        n_replicates, n_columns = experiment.run.n_replicates, experiment.run.n_generations + 1
        arrays, attributes, n_axes = self._content.arrays, self._content.attributes, len(self.sweep.shape)
        where = np.unravel_index(index, self.sweep.shape)
        metrics, variables, coordinates = {}, {}, self._further(where)
        for name, values in arrays.items():
            if values.ndim >= n_axes + 2 and values.dtype == np.float64:
                dims = tuple(str(one) for one in attributes[name].get("dims", "").split())
                lengths = [len(coordinates[dim].values) if dim in coordinates else None for dim in dims]
                mine = values[where][tuple(slice(n) for n in (n_replicates, n_columns, *lengths))]
                if not np.isnan(mine).all():  # else another family's
                    metrics[name] = mine
                    variables[name] = Variable(attributes[name]["long_name"], attributes[name]["units"], dims)
        truth = load_truth(experiment.truth, experiment.base)
        if "data_crc32" in arrays and data_crc32(truth) != arrays["data_crc32"][where]:
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

    def _further(self, where: tuple[Any, ...]) -> dict[str, Coordinate]:
        """Return the coordinates of a point: those of all points, and its own."""
        found = {}
        for name, values in self._content.arrays.items():
            told = self._content.attributes[name]
            if "of_point" in told:
                mine = values[where]
                mine = mine[~np.isnan(mine)].astype(np.int64 if told["kind"] == "i" else np.float64)
                if mine.size:
                    found[str(told["of_point"])] = Coordinate(mine, told["long_name"], told["units"])
            elif values.ndim == 1 and "key" not in told and name not in RESERVED:
                found[name] = Coordinate(np.array(values), told["long_name"], told["units"])
        return found


def open_sweep(path: Path) -> Any:
    """Return what a sweep is drawn from: a folder or a collected file; None where there is something else.

    Raises
    ------
    UnreadableResults
        A collected file is damaged.
    """
    if (path / MANIFEST).is_file():
        return SweepFolder(path)
    try:
        content = read_file(path)
    except (FileNotFoundError, UnreadableResults):
        return None  # what reads results says what is wrong
    if content.attributes["/"].get("kind") != COLLECTED:
        return None
    check_data(path)
    return decoded(path, lambda: Collected(path, content))
