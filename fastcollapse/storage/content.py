"""Reading of the layout (FORMAT.md): header and block from the data sets and attributes of a file."""

import hashlib
import json
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np

from fastcollapse.datasets.categorical import CategoricalDistribution
from fastcollapse.storage.blocks import Block, Header, fits
from fastcollapse.storage.layout import FORMAT, RAGGED_VERSION, SIZE_SUFFIX
from fastcollapse.variables import Coordinate, CountRows, SampleRows, Variable


@dataclass(frozen=True, eq=False)
class Content:
    """Content of a file.

    Parameters
    ----------
    arrays : path -> data set.
    attributes : path of a group or data set -> attributes; "/" is the root.
    offsets : path of a data set -> position of its data in the file.
    """

    arrays: dict[str, np.ndarray] = field(default_factory=dict)
    attributes: dict[str, dict[str, Any]] = field(default_factory=dict)
    offsets: dict[str, int] = field(default_factory=dict)

    def group(self, name: str) -> dict[str, np.ndarray]:
        """Return the data sets of a group by their names within it."""
        return {k.removeprefix(name + "/"): v for k, v in self.arrays.items() if k.startswith(name + "/")}


def check_format(content: Content) -> None:
    """Refuse files that this version does not read.

    Raises
    ------
    ValueError
        The file is not of fastcollapse, or of a newer format.
    """
    root = content.attributes["/"]
    if root.get("format") != FORMAT:
        raise ValueError("is not a fastcollapse file")
    version = int(root["format_version"])
    if version > RAGGED_VERSION:
        raise ValueError(f"has format version {version}, this fastcollapse reads up to {RAGGED_VERSION}")


def read_header(content: Content) -> Header:
    """Return the header of a finished file or of part 0.

    Raises
    ------
    KeyError, ValueError
        Data are missing or malformed.
    """
    root, arrays = content.attributes["/"], content.arrays
    if "kind" in root:
        raise ValueError(f"is a {root['kind']}, not the results of one run")
    for key in ("experiment", "experiment_text", "digest", "provenance"):
        if not isinstance(root[key], str):
            raise ValueError(f"is damaged: {key} is not text")
    if hashlib.sha256(root["experiment"].encode()).hexdigest() != root["digest"]:
        raise ValueError("is damaged: its digest is not that of its experiment")
    labels = None
    if "truth/label_bytes" in arrays:
        raw = arrays["truth/label_bytes"].tobytes()
        bounds = arrays["truth/label_bounds"].tolist()
        labels = tuple(raw[low:high].decode() for low, high in pairwise(bounds))
    counts = arrays.get("truth/counts")
    truth = None
    if "truth" in content.attributes:
        truth = CategoricalDistribution(
            labels=labels,
            counts=None if counts is None else np.array(counts),
            probabilities=np.array(arrays["truth/probability"]),
            source=content.attributes["truth"]["source"],
        )
    metrics, states, samples = {}, {}, {}
    for name, values in arrays.items():
        attributes = content.attributes[name]
        if "ragged" in attributes:
            samples[name] = Variable(
                attributes["long_name"], attributes["units"], tuple(attributes["ragged"].split()), ragged=True
            )
        elif "/" not in name and values.ndim >= 2 and name != "forgotten" and "sample_dimension" not in attributes:
            dims = attributes.get("state", attributes.get("dims", ""))
            variable = Variable(attributes["long_name"], attributes["units"], tuple(dims.split()))
            if "state" in attributes:
                states[name] = variable
            if "state" not in attributes or "also" in attributes:
                metrics[name] = variable
    return Header(
        experiment_json=root["experiment"],
        experiment_text=root["experiment_text"],
        digest=root["digest"],
        provenance=json.loads(root["provenance"]),
        n_replicates=len(arrays["replicate"]),
        n_generations=int(root["n_generations"]),
        first_replicate=int(root.get("first_replicate", 0)),
        metrics=metrics,
        states=states,
        truth=truth,
        trajectory="trajectory/indptr" in arrays,
        coordinates={name: _coordinate(content, name) for name in arrays if _is_coordinate(content, name)},
        samples=samples,
        n_columns=int(content.attributes["trajectory"]["shape"][1]) if "trajectory" in content.attributes else 0,
    )


def _is_coordinate(content: Content, name: str) -> bool:
    is_line = "/" not in name and content.arrays[name].ndim == 1
    return is_line and name not in ("generation", "replicate") and "ragged" not in content.attributes[name]


def _coordinate(content: Content, name: str) -> Coordinate:
    attributes = content.attributes[name]
    # A copy instead of the memory map, because the numbers outlive the part that they are read from.
    return Coordinate(np.array(content.arrays[name]), attributes["long_name"], attributes["units"])


def read_block(content: Content, header: Header) -> Block:
    """Return the generations of a finished file or of a part as one block.

    Raises
    ------
    KeyError, ValueError
        Data are missing or malformed.
    """
    arrays = content.arrays
    generation = arrays["generation"]
    if not np.array_equal(generation, np.arange(generation[0], generation[0] + len(generation))):
        raise ValueError("is damaged: its generations do not follow each other")
    if generation[-1] > header.n_generations:
        raise ValueError(f"is damaged: it has generation {generation[-1]}, its run ends at {header.n_generations}")
    metrics, states = ({name: arrays[name] for name in names} for names in (header.metrics, header.states))
    plane = (header.n_replicates, len(generation))
    if not all(fits(values, (*plane, *header.lengths(name))) for name, values in {**metrics, **states}.items()):
        raise ValueError("holds metrics or states of the wrong shape")
    rows = None
    if header.trajectory:
        rows = CountRows(*(arrays[f"trajectory/{name}"] for name in ("indptr", "indices", "data")))
        if not len(rows.indices) == len(rows.data) == rows.indptr[-1]:
            raise ValueError("holds a trajectory of the wrong length")
    samples = {name: _read_sample(content, header, name, plane) for name in header.samples}
    return Block(int(generation[0]), metrics, rows, states, samples)


def _read_sample(content: Content, header: Header, name: str, plane: tuple[int, int]) -> SampleRows:
    values, sizes = content.arrays[name], content.arrays[f"{name}{SIZE_SUFFIX}"]
    if sizes.shape != plane[::-1] or not fits(values, (None, *header.lengths(name))):
        raise ValueError(f"holds {name} of the wrong shape")
    if sizes.size and sizes.min() < 0:
        raise ValueError(f"holds a negative size of {name}")
    indptr = np.concatenate([[0], np.cumsum(sizes, dtype=np.int64)])
    if indptr[-1] != len(values):
        raise ValueError(f"holds {name} of the wrong length")
    return SampleRows(indptr, values)
