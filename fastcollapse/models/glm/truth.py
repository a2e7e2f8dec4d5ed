"""The truth of a generalised linear model: fixed rows, and true coefficients or labels of the user."""

import dataclasses
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from fastcollapse.config.fields import (
    BoolField,
    ChoiceField,
    FloatField,
    IntField,
    ListField,
    NameOrNumbersField,
    StringField,
    parameter,
    show,
)
from fastcollapse.config.sections import TruthSection
from fastcollapse.datasets.arrays import read_array
from fastcollapse.datasets.data_files import DataFiles, split_name
from fastcollapse.errors import InputError
from fastcollapse.models.pools import check_pool_memory

_LARGEST = 1e100
# Columns are dependent below this share of the largest singular value: its square is near the rounding of a sum.
_DEPENDENT = 1e-7
RULES = ("constant", "random")
DATA_SETS = ("breast_cancer", "diabetes")


@dataclasses.dataclass(frozen=True)
class GlmTruth(TruthSection):
    """Rows that all generations and replicates share, and the law of their labels.

    Either the law is given: `rows` rows of `dimension` independent standard normal inputs, drawn once with
    `design_seed`, and coefficients. Or it is fitted to labels of the user, in files or in a data set of scikit-learn.
    """

    rows: int | None = parameter(IntField(1, 10**8), "number of rows n", default=None, unit="rows")
    dimension: int | None = parameter(
        IntField(0, 10**4), "number of inputs of a row; by default that of coefficients", default=None
    )
    design_seed: int = parameter(IntField(0, 2**63 - 1), "seed of the rows", default=0)
    coefficients: Any = parameter(
        NameOrNumbersField(RULES, ListField(FloatField(-_LARGEST, _LARGEST), shortest=0)),
        "true coefficients of the inputs",
        default="constant",
    )
    coefficients_seed: int = parameter(IntField(0, 2**63 - 1), "seed of random coefficients", default=0)
    norm: float = parameter(FloatField(0, _LARGEST), "Euclidean norm of constant or random coefficients", default=1.0)
    intercept: float = parameter(FloatField(-1000, 1000), "true intercept of a given law", default=0.0)
    has_intercept: bool = parameter(BoolField(), "whether the model has an intercept", default=True)
    inputs_file: str | None = parameter(
        StringField(), "file of inputs, a row each (.npy, .npz[:NAME] or .csv, gzipped or not)", default=None
    )
    labels_file: str | None = parameter(StringField(), "file of the labels of the inputs", default=None)
    data: str | None = parameter(
        ChoiceField(lambda: DATA_SETS), "in place of files, a data set of scikit-learn", default=None
    )
    columns: int | None = parameter(IntField(1, 10**4), "number of first inputs in use; all by default", default=None)
    above: float | None = parameter(
        FloatField(-_LARGEST, _LARGEST), "threshold: a label is 1 where it is above, otherwise 0", default=None
    )
    standardise: bool = parameter(
        BoolField(), "whether inputs of the user are scaled to mean 0 and variance 1", default=True
    )

    def relations(self) -> list[tuple[str, str]]:
        """Return the contradictions between parameters, as (key, message)."""
        if (self.inputs_file is None) != (self.labels_file is None):
            names = ("labels_file", "inputs_file")
            missing, given = names if self.labels_file is None else names[::-1]
            return [(missing, f"is required where truth.{given} is given: file of a row each")]
        is_given = self.inputs_file is not None or self.data is not None
        if self.inputs_file is not None and self.data is not None:
            return [("data", f"must be absent with truth.inputs_file, got {show(self.data)}")]
        of_law, of_data = ("rows", "dimension"), ("columns", "above")
        if is_given:
            problem = "must be absent for rows of the user, got"
            defaults = {field.name: field.default for field in dataclasses.fields(self)}
            unused = (*of_law, "coefficients", "norm", "intercept")
            changed = [key for key in unused if getattr(self, key) != defaults[key]]
            return [(key, f"{problem} {show(self.to_mapping()[key])}") for key in changed]
        is_list = isinstance(self.coefficients, tuple)
        if is_list and self.dimension is None:
            object.__setattr__(self, "dimension", len(self.coefficients))  # the experiment has it, as if it were given
        problems = [(key, "is required: a whole number; or truth.data, or files of inputs and labels")
                    for key in of_law if getattr(self, key) is None]  # fmt: skip
        problems += [
            (key, f"must be absent without rows of the user, got {getattr(self, key):g}")
            for key in of_data
            if getattr(self, key) is not None
        ]
        n = len(self.coefficients) if is_list else self.dimension
        if n != self.dimension:
            problems.append(("coefficients", f"must have {self.dimension} entries, one an input, got {n}"))
        if self.dimension == 0 and not self.has_intercept:
            problems.append(("has_intercept", "must be true without inputs, got false"))
        if self.intercept and not self.has_intercept:
            problems.append(("intercept", f"must be 0 without an intercept, got {self.intercept:g}"))
        return problems

    @property
    def source(self) -> str:
        """Short description of the truth."""
        if self.inputs_file is None and self.data is None:
            return f"{self.rows:,} rows of {self.dimension} inputs"
        named = f"{self.inputs_file} and {self.labels_file}" if self.data is None else f"{self.data} of scikit-learn"
        return f"fit to {named}"

    @property
    def files(self) -> tuple[str, ...]:
        """Paths of the inputs and of the labels; several arrays of a .npz file are one path."""
        given = (path for path in (self.inputs_file, self.labels_file) if path is not None)
        return tuple(dict.fromkeys(split_name(path)[0] for path in given))

    def load(self, base: Path | None = None) -> "FixedRows":
        """Return the rows, with the coefficients or the labels.

        Parameters
        ----------
        base : folder of the experiment file, which is also searched for data files.

        Raises
        ------
        InputError
            A file cannot be read, shapes do not match, or the columns are linearly dependent.
        """
        if self.data is not None:
            given, labels, hashes = _data_set(self.data)
            key = "truth.data"
        elif self.inputs_file is not None:
            files, key = DataFiles(base), "truth.inputs_file"
            given = read_array(self.inputs_file, files, key)
            labels = read_array(self.labels_file or "", files, "truth.labels_file")
            hashes = files.hashes
        else:
            return self._law()
        rows = self._rows(given, key)
        if labels.size != len(labels) or len(labels) != len(rows):
            expected, shape = f"one label for each of {len(rows)} rows", " x ".join(map(str, labels.shape))
            raise InputError(f"truth.labels_file must have {expected}, got {shape} in {show(self.labels_file)}")
        labels = labels.ravel() if self.above is None else (labels.ravel() > self.above).astype(np.float64)
        return FixedRows(self._with_intercept(rows, key), None, labels, hashes)

    def _law(self) -> "FixedRows":
        """Return Gaussian rows and their coefficients."""
        n, d = self.rows or 0, self.dimension or 0
        check_pool_memory(n * (d + 1), "truth.rows")
        rows = np.random.default_rng(self.design_seed).standard_normal((n, d))
        if isinstance(self.coefficients, tuple):
            found = np.array(self.coefficients, np.float64)
        else:
            rng = np.random.default_rng(self.coefficients_seed)
            found = rng.standard_normal(d) if self.coefficients == "random" else np.ones(d)
            found = found * (self.norm / np.sqrt((found**2).sum())) if d else found
        start = [self.intercept] if self.has_intercept else []
        return FixedRows(self._with_intercept(rows, "truth.rows"), np.concatenate([start, found]), None)

    def _rows(self, given: np.ndarray, key: str) -> np.ndarray:
        """Return the columns of the user in use, standardised or as they are."""
        if given.ndim != 2:
            shape = " x ".join(map(str, given.shape))
            raise InputError(f"{key} must have a row of numbers for each label, got {shape}")
        d = given.shape[1]
        if self.columns is not None and self.columns > d:
            raise InputError(f"truth.columns must be at most the {d} columns of the inputs, got {self.columns}")
        rows = given[:, : self.columns]
        if not np.abs(rows).max() <= _LARGEST:
            raise InputError(f"{key} must have entries of at most {_LARGEST:g}, got {np.abs(rows).max():g}")
        if not self.standardise:
            return rows
        scale = np.ptp(rows, axis=0)
        if (scale == 0).any():
            where = f"column {int((scale == 0).argmax()) + 1} of equal entries"
            raise InputError(f"{key} must have columns that are not constant to standardise them, got {where}")
        rows = (rows - rows[0]) / scale
        rows = rows - rows.mean(axis=0)
        return rows / np.sqrt((rows**2).mean(axis=0))

    def _with_intercept(self, rows: np.ndarray, key: str) -> np.ndarray:
        """Return the design, float64 (n, p), with a first column of ones for an intercept; check its rank."""
        design = np.hstack([np.ones((len(rows), int(self.has_intercept))), rows])
        n, p = design.shape
        sizes = np.abs(design).max(axis=0)
        scaled = design / np.where(sizes > 0, sizes, 1.0)
        values = np.linalg.svd(np.linalg.qr(scaled, mode="r"), compute_uv=False)
        rank = int((values > _DEPENDENT * values[0]).sum())
        if rank < p:
            columns = f"{p} linearly independent columns{', with the intercept' if self.has_intercept else ''}"
            raise InputError(f"{key} must have {columns}, got {n} rows of rank {rank}")
        return design


def _data_set(name: str) -> tuple[np.ndarray, np.ndarray, dict[str, str]]:
    """Return inputs and labels of a data set that scikit-learn ships, and their hash."""
    try:
        from sklearn import datasets
    except ImportError:
        installed = "scikit-learn must be installed (pip install scikit-learn)"
        raise InputError(f"{installed} for truth.data, got {show(name)} without it") from None
    rows, labels = getattr(datasets, f"load_{name}")(return_X_y=True)
    rows, labels = (np.ascontiguousarray(values, np.float64) for values in (rows, labels))
    digest = hashlib.sha256(rows.tobytes() + labels.tobytes()).hexdigest()
    return rows, labels, {f"scikit-learn: {name}": digest}


@dataclasses.dataclass(frozen=True, eq=False)
class FixedRows:
    """The fixed rows of a generalised linear model.

    Parameters
    ----------
    design : float64 (n, p), the rows, with a first column of ones for an intercept.
    coefficients : float64 (p), of a given law; or None.
    labels : float64 (n), labels of the user, whose fit is the truth; or None.
    inputs : SHA-256 of the data files by path, in hexadecimal.
    """

    design: np.ndarray
    coefficients: np.ndarray | None
    labels: np.ndarray | None
    inputs: Mapping[str, str] = dataclasses.field(default_factory=dict)
    total: ClassVar[None] = None
