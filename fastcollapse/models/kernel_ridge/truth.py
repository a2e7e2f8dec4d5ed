"""The truth of the kernel ridge family: real inputs with labels, split into training and held-out rows."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from fastcollapse.config.fields import ChoiceField, IntField, StringField, parameter, show
from fastcollapse.config.sections import TruthSection
from fastcollapse.datasets.arrays import read_array
from fastcollapse.datasets.data_files import DataFiles, split_name
from fastcollapse.errors import InputError

IMAGES, LABELS = "data/t10k-images-idx3-ubyte.gz", "data/t10k-labels-idx1-ubyte.gz"
_NAMED = "idx, .npy, .npz[:NAME] or .csv, gzipped or not"
# Target one_vs_rest has one output for each label.
_MAX_CLASSES = 100
_N_SHOWN = 10


@dataclasses.dataclass(frozen=True)
class KernelRidgeTruth(TruthSection):
    """Inputs and labels from files, by default the 10,000 test images of MNIST; they define generation 0.

    `n_test` random rows, drawn with `split_seed`, are held out to test all generations and are never trained on.
    """

    images: str | None = parameter(
        StringField(),
        f"file of inputs, one row each ({_NAMED}); the 10,000 shipped MNIST images by default",
        default=None,
    )
    labels: str | None = parameter(StringField(), f"file of the labels of the inputs ({_NAMED})", default=None)
    target: str = parameter(
        ChoiceField(lambda: ("number", "one_vs_rest")),
        "target: the label as a number, or one output for each label (1 for this label, otherwise -1)",
        default="number",
    )
    n_test: int = parameter(IntField(1, 10**7), "number of held-out test rows", default=2000, unit="rows")
    split_seed: int = parameter(IntField(0, 2**63 - 1), "seed of the random choice of held-out rows", default=0)
    scaling: str = parameter(
        ChoiceField(lambda: ("unit", "none")),
        "scaling of the inputs: unit divides by the largest in size (pixels to 0..1) and does not centre; none keeps",
        default="unit",
    )

    def relations(self) -> list[tuple[str, str]]:
        """Return the contradictions between parameters, as (key, message)."""
        if (self.images is None) != (self.labels is None):
            missing, given = ("labels", "images") if self.labels is None else ("images", "labels")
            return [(missing, f"is required where truth.{given} is given: file of a row each")]
        return []

    @property
    def source(self) -> str:
        """Short description of the truth."""
        files = "MNIST test images" if self.images is None else f"{self.images} and {self.labels}"
        return f"{files}, target {self.target}, {self.n_test:,} rows held out"

    @property
    def files(self) -> tuple[str, ...]:
        """Paths of the inputs and of the labels; several arrays of a .npz file are one path."""
        return tuple(dict.fromkeys(split_name(path)[0] for path in (self.images or IMAGES, self.labels or LABELS)))

    def load(self, base: Path | None = None) -> "Labelled":
        """Return inputs and targets as arrays.

        Parameters
        ----------
        base : folder of the experiment file, which is also searched for data files.

        Raises
        ------
        InputError
            A file cannot be read, does not hold inputs or labels, or has too few rows.
        """
        images, labels = self.images or IMAGES, self.labels or LABELS
        files = DataFiles(base)
        rows = read_array(images, files, "truth.images")
        given = read_array(labels, files, "truth.labels")
        if rows.ndim < 2:
            shape = f"{len(rows)} numbers in a row: are these labels?"
            raise InputError(f"truth.images must have a row of numbers for each input, got {shape} {show(images)}")
        rows = rows.reshape(len(rows), -1)
        if given.size != len(given):
            shape = " x ".join(map(str, given.shape))
            raise InputError(f"truth.labels must have one number a row, got {shape} in {show(labels)}")
        given = given.ravel()
        if len(given) != len(rows):
            expected = f"as many labels as truth.images has rows, {len(rows)}"
            raise InputError(f"truth.labels must have {expected}, got {len(given)} in {show(labels)}")
        if self.n_test > len(rows) - 1:
            raise InputError(
                f"truth.n_test must be at most {len(rows) - 1}, to leave a row of {len(rows)}, got {self.n_test}"
            )
        return dataclasses.replace(self._split(rows, given), inputs=files.hashes)

    def _split(self, rows: np.ndarray, given: np.ndarray) -> "Labelled":
        """Return the rows and targets, split into training and held-out rows."""
        levels, classes = np.unique(given, return_inverse=True)
        if self.target == "one_vs_rest":
            if not 2 <= len(levels) <= _MAX_CLASSES:
                limit = f"with 'one_vs_rest' have 2 to {_MAX_CLASSES} different labels"
                raise InputError(f"truth.target must {limit}, got {len(levels)}")
            targets = np.where(classes == np.arange(len(levels))[:, None], 1.0, -1.0)
        else:
            targets = given[None]
        order = np.random.default_rng(self.split_seed).permutation(len(rows))
        test, pool = np.sort(order[: self.n_test]), np.sort(order[self.n_test :])
        largest = float(np.abs(rows).max()) if self.scaling == "unit" else 1.0
        return Labelled(
            rows[pool], np.ascontiguousarray(targets[:, pool]), pool,
            rows[test], np.ascontiguousarray(targets[:, test]), test,
            levels, classes[test], largest or 1.0, self.target == "number",
        )  # fmt: skip


@dataclasses.dataclass(frozen=True, eq=False)
class Labelled:
    """Real inputs with their targets, split into training rows and held-out rows.

    Parameters
    ----------
    rows : float64 (N, d), the inputs that samples are drawn from, in the units of the file.
    targets : float64 (C, N), the targets, C outputs.
    numbers : int64 (N), positions of the rows in the file.
    test_rows, test_targets, test_numbers : the same arrays for the m held-out rows.
    levels : float64 (K), the distinct labels in ascending order.
    test_classes : int64 (m), index in `levels` of the label of each held-out row.
    unit : the divisor of the inputs.
    is_number : whether the only output is the label as a number; otherwise there are K outputs, 1 or -1.
    inputs : SHA-256 of the data files by path, in hexadecimal.
    """

    rows: np.ndarray
    targets: np.ndarray
    numbers: np.ndarray
    test_rows: np.ndarray
    test_targets: np.ndarray
    test_numbers: np.ndarray
    levels: np.ndarray
    test_classes: np.ndarray
    unit: float
    is_number: bool
    inputs: Mapping[str, str] = dataclasses.field(default_factory=dict)
    total: ClassVar[None] = None

    def decide(self, outputs: np.ndarray) -> np.ndarray:
        """Return the index of the predicted label for outputs (..., C, m), int64 (..., m)."""
        if self.is_number:
            return np.searchsorted((self.levels[1:] + self.levels[:-1]) / 2, outputs[..., 0, :])
        return outputs.argmax(axis=-2)

    def scores(self, outputs: np.ndarray) -> np.ndarray:
        """Return scores of outputs (..., C, m) at the held-out rows, float64 (..., 2).

        They are the mean squared error over rows and outputs, and the fraction of rows with the correct label.
        """
        scores: Any = np.empty((*outputs.shape[:-2], 2))
        scores[..., 0] = ((outputs - self.test_targets) ** 2).mean(axis=(-2, -1))
        scores[..., 1] = (self.decide(outputs) == self.test_classes).mean(axis=-1)
        return scores

    def shown(self) -> np.ndarray:
        """Return the indices of the held-out rows shown in figures, int64 (S): the first row of each label."""
        if len(self.levels) > _N_SHOWN:
            return np.arange(min(_N_SHOWN, len(self.test_rows)))
        return np.unique(self.test_classes, return_index=True)[1]
