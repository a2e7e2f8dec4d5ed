"""The truth of a linear regression: the law of the inputs with its covariance, and the true weights."""

import dataclasses
import functools
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from fastcollapse.config.fields import (
    ChoiceField,
    FloatField,
    IntField,
    ListField,
    NameOrNumbersField,
    StringField,
    ValidationErrors,
    parameter,
    show,
)
from fastcollapse.config.sections import TruthSection
from fastcollapse.datasets.arrays import read_matrix
from fastcollapse.datasets.data_files import DataFiles, split_name
from fastcollapse.errors import InputError
from fastcollapse.kernels.linalg.blas_threads import one_blas_thread
from fastcollapse.models.ridge.downstream_parameters import LARGEST

# Limits of weights and of eigenvalues of the covariance, so that squares of errors are in the range of float64, and
# theory of every run is defined.
_SMALLEST = 1e-30
_LARGEST_EIGENVALUE, _SMALLEST_EIGENVALUE = 1e40, 1e-40
_SYMMETRY = 1e-12
DESIGNS = ("gaussian", "rademacher", "uniform", "student", "rows")
WEIGHTS = ("constant", "random", "source")


@dataclasses.dataclass(frozen=True)
class _Matrix:
    """Check of a matrix: a list of rows, or the name of a file with the rows."""

    text: ClassVar[str] = "list of rows, or a .npy, .npz[:NAME] or .csv file of them"

    def __call__(self, value: Any) -> Any:
        if isinstance(value, str):
            return StringField()(value)
        return ListField(ListField(FloatField(-_LARGEST_EIGENVALUE, _LARGEST_EIGENVALUE)))(value)


@dataclasses.dataclass(frozen=True)
class RidgeTruth(TruthSection):
    """Inputs of covariance Sigma, and labels that are linear in them with weights w0.

    Sigma is given by `beta`, `spectrum`, `covariance` or `rows`, and is the identity by default. Inputs of the designs
    rademacher, uniform and student have independent components along the eigenvectors of Sigma. Weights given by a
    keyword are scaled to |w0|_Sigma = `norm`; a list is not scaled.

    Examples
    --------
    >>> RidgeTruth(dimension=4, beta=1.0).load().spectrum
    array([1.        , 0.5       , 0.33333333, 0.25      ])
    """

    dimension: int | None = parameter(
        IntField(1, 10**6), "number of inputs of the regression; by default that of the data", default=None
    )
    beta: float | None = parameter(FloatField(0, 100), "eigenvalues of the covariance are j^-beta", default=None)
    spectrum: tuple[float, ...] | None = parameter(
        ListField(FloatField(_SMALLEST_EIGENVALUE, _LARGEST_EIGENVALUE)),
        "eigenvalues of the covariance of the inputs",
        default=None,
    )
    covariance: Any = parameter(_Matrix(), "symmetric positive definite covariance of the inputs", default=None)
    w0: Any = parameter(
        NameOrNumbersField(WEIGHTS, ListField(FloatField(-LARGEST, LARGEST))), "true weights", default="constant"
    )
    r: float | None = parameter(
        FloatField(0, 100), "source exponent: eigenvalue j times squared weight j is j^-(1 + 2 beta r)", default=None
    )
    w0_seed: int = parameter(IntField(0, 2**63 - 1), "seed of random weights", default=0)
    norm: float = parameter(FloatField(_SMALLEST, LARGEST), "norm of w0 with respect to the covariance", default=1.0)
    design: str = parameter(ChoiceField(lambda: DESIGNS), "law of the inputs", default="gaussian")
    degrees: float | None = parameter(
        FloatField(2, 1e6, above=True), "degrees of freedom of inputs with Student's t distribution", default=None
    )
    rows: str | None = parameter(
        StringField(),
        "file (.npy, .npz[:NAME], .csv) with the inputs of design rows, drawn with replacement and not centred",
        default=None,
    )

    def relations(self) -> list[tuple[str, str]]:
        """Return the contradictions between parameters, as (key, message)."""
        laws = [name for name in ("beta", "spectrum", "covariance", "rows") if getattr(self, name) is not None]
        if len(laws) > 1:
            return [("", f"must have at most one of beta, spectrum, covariance and rows, got {' and '.join(laws)}")]
        problems = [
            (name, f"must be given if and only if truth.{key} is '{word}', got {show(getattr(self, name))}")
            for name, key, word in (("r", "w0", "source"), ("degrees", "design", "student"), ("rows", "design", "rows"))
            if (getattr(self, name) is not None) != (getattr(self, key) == word)
        ]
        if self.dimension is None and isinstance(self.w0, tuple) and not set(laws) - {"beta"}:
            object.__setattr__(self, "dimension", len(self.w0))  # the experiment has it, as if it were given
        if self.dimension is None and not set(laws) & {"spectrum", "covariance", "rows"}:
            problems.append(("dimension", "is required: whole number from 1 to 10**6"))
        if self.w0 == "source" and self.beta is None:
            problems.append(("w0", "must be another one without truth.beta, got 'source'"))
        if isinstance(self.w0, tuple) and max(map(abs, self.w0)) < _SMALLEST:
            problems.append(("w0", f"must have an entry of at least {_SMALLEST:g} in size, got {show(list(self.w0))}"))
        if self.beta and self.dimension and self.beta * math.log10(self.dimension) > -math.log10(_SMALLEST_EIGENVALUE):
            smallest = f"{_SMALLEST_EIGENVALUE:g} as the least eigenvalue"
            problems.append(("beta", f"must leave at least {smallest}, got {self.dimension}^-{self.beta:g}"))
        if not problems:
            problems += self._lengths()
        return problems

    def _lengths(self) -> list[tuple[str, str]]:
        """Return the parameters whose length differs from the dimension, as (key, message)."""
        # The weights come last, because the covariance determines the dimension.
        given = [name for name in ("spectrum", "covariance", "w0") if type(getattr(self, name)) is tuple]
        lengths = {name: len(getattr(self, name)) for name in given}
        if "covariance" in lengths:
            if {len(row) for row in self.covariance} != {len(self.covariance)}:
                return [("covariance", f"must be square, got {show([list(row) for row in self.covariance])}")]
        d = self.dimension or next(iter(lengths.values()), 0)
        return [(name, f"must have {d} entries, one an input, got {n}") for name, n in lengths.items() if n != d]

    @property
    def files(self) -> tuple[str, ...]:
        """Path of the covariance or of the rows."""
        return tuple(split_name(path)[0] for path in (self.covariance, self.rows) if isinstance(path, str))

    def load(self, base: Path | None = None) -> "Regression":
        """Return the truth as arrays.

        Parameters
        ----------
        base : folder of the experiment file, which is also searched for data files.

        Raises
        ------
        InputError
            A file cannot be read, or a matrix is not a covariance of `dimension` inputs.
        """
        files = DataFiles(base)
        # The rounding of eigenvectors and of long products depends on the number of BLAS threads.
        with one_blas_thread():
            spectrum, rotation, rows = self._covariance(files)
            weights = self._weights(spectrum, rotation)
        self._check_sizes(spectrum, weights)
        return Regression(spectrum, weights, rotation, self.design, self.degrees, rows, files.hashes)

    def _check_sizes(self, spectrum: np.ndarray, weights: np.ndarray) -> None:
        """Check eigenvalues and weights, which may be too large or too small together although each key is allowed."""
        least, most = spectrum.min(), spectrum.max()
        if least < _SMALLEST_EIGENVALUE or most > _LARGEST_EIGENVALUE:
            key = next((name for name in ("covariance", "rows") if getattr(self, name) is not None), "beta")
            allowed = f"from {_SMALLEST_EIGENVALUE:g} to {_LARGEST_EIGENVALUE:g}"
            reason = f"must give eigenvalues of the covariance {allowed}, got {least:.3g} to {most:.3g}"
            raise ValidationErrors([(f"truth.{key}", reason)])
        largest = np.abs(weights).max()
        if not largest <= LARGEST:
            key = "w0" if isinstance(self.w0, tuple) else "norm"
            reason = f"must give true weights of at most {LARGEST:g} along the eigenvectors, got {largest:.3g}"
            raise ValidationErrors([(f"truth.{key}", reason)])

    def _covariance(self, files: DataFiles) -> tuple[np.ndarray, np.ndarray | None, np.ndarray | None]:
        """Return eigenvalues (d), eigenvectors as columns (d, d) or None, and rows (N, d) in this basis or None."""
        if self.spectrum is not None:
            return np.array(self.spectrum), None, None
        if self.rows is not None:
            rows = self._read("rows", files)
            if self.dimension not in (None, rows.shape[1]):
                raise ValidationErrors(
                    [("truth.rows", f"must have {self.dimension} columns, got {rows.shape[1]} in {show(self.rows)}")]
                )
            values, vectors = _eigen(
                "rows", rows.T @ rows / len(rows), "linearly independent columns", f" in {show(self.rows)}"
            )
            return values, vectors, np.ascontiguousarray(rows @ vectors)
        if self.covariance is not None:
            named = isinstance(self.covariance, str)
            matrix = self._read("covariance", files) if named else np.array(self.covariance)
            where = f" in {show(self.covariance)}" if named else ""
            d = self.dimension or len(matrix)
            if matrix.shape != (d, d):
                shape = " x ".join(map(str, matrix.shape))
                raise ValidationErrors([("truth.covariance", f"must have {d} rows and columns, got {shape}{where}")])
            scale = np.sqrt(np.abs(matrix.diagonal()))
            if (np.abs(matrix - matrix.T) > _SYMMETRY * np.outer(scale, scale)).any():
                raise ValidationErrors([("truth.covariance", f"must be symmetric, got {show(matrix.tolist())}{where}")])
            values, vectors = _eigen("covariance", matrix, "only positive eigenvalues", where)
            return values, vectors, None
        assert self.dimension is not None
        return np.arange(1.0, self.dimension + 1) ** -(self.beta or 0.0), None, None

    def _read(self, key: str, files: DataFiles) -> np.ndarray:
        """Return the matrix of a file and check that its squares do not overflow."""
        matrix = read_matrix(getattr(self, key), files, f"truth.{key}")
        if np.abs(matrix).max() > _LARGEST_EIGENVALUE:
            reason = f"must have entries of at most {_LARGEST_EIGENVALUE:g}, got {np.abs(matrix).max():g}"
            raise ValidationErrors([(f"truth.{key}", reason)])
        return matrix

    def _weights(self, spectrum: np.ndarray, rotation: np.ndarray | None) -> np.ndarray:
        """Return w0 (d) in the basis of the eigenvectors."""
        d = len(spectrum)
        if self.w0 == "source":
            j = np.arange(1.0, d + 1)
            weights = j ** (-0.5 - (self.beta or 0.0) * (self.r or 0.0)) / np.sqrt(spectrum)
        else:
            given = np.random.default_rng(self.w0_seed).standard_normal(d) if self.w0 == "random" else np.ones(d)
            if isinstance(self.w0, tuple):
                if len(self.w0) != d:
                    raise InputError(f"truth.w0 must have {d} entries, one an input, got {len(self.w0)}")
                given = np.array(self.w0)
            weights = given if rotation is None else rotation.T @ given
        if isinstance(self.w0, tuple):
            return weights
        return weights * (self.norm / np.sqrt(spectrum @ weights**2))


def _eigen(key: str, matrix: np.ndarray, condition: str, where: str = "") -> tuple[np.ndarray, np.ndarray]:
    """Return eigenvalues, the largest first, and eigenvectors of a covariance; raise if it is not positive definite."""
    d = len(matrix)
    values, vectors = np.linalg.eigh(matrix)
    if values[0] <= max(d * np.finfo(float).eps * values[-1], _SMALLEST_EIGENVALUE):
        reason = (
            f"must have {condition}, got eigenvalues of the covariance from {values[0]:.3g} to {values[-1]:.3g}{where}"
        )
        raise ValidationErrors([(f"truth.{key}", reason)])
    # Fix the sign of each eigenvector, which depends on the library.
    vectors = vectors[:, ::-1] * np.sign(vectors[np.abs(vectors).argmax(axis=0), np.arange(d)])[::-1]
    return values[::-1].copy(), np.ascontiguousarray(vectors)


@dataclasses.dataclass(frozen=True, eq=False)
class Regression:
    """The truth of a linear regression as arrays, in the basis of the eigenvectors of Sigma.

    Parameters
    ----------
    spectrum : float64 (d), eigenvalues of the covariance Sigma of the inputs, above 0.
    weights : float64 (d), true weights w0.
    rotation : float64 (d, d), the eigenvectors as columns; None if they are the axes.
    design : law of the inputs, one of DESIGNS.
    degrees : degrees of freedom of Student's t distribution, or None.
    rows : float64 (N, d), the rows that design "rows" draws from, or None.
    inputs : SHA-256 of the data files by path, in hexadecimal.
    """

    spectrum: np.ndarray
    weights: np.ndarray
    rotation: np.ndarray | None = None
    design: str = "gaussian"
    degrees: float | None = None
    rows: np.ndarray | None = None
    inputs: Mapping[str, str] = dataclasses.field(default_factory=dict)
    total: ClassVar[None] = None

    @property
    def dimension(self) -> int:
        """Number of inputs d."""
        return len(self.spectrum)

    @functools.cached_property
    def norm(self) -> float:
        """Euclidean norm |w0|."""
        # Not a BLAS product: its rounding depends on the number of threads.
        return float(np.sqrt(np.sum(self.weights**2)))

    @property
    def is_isotropic(self) -> bool:
        """Whether Sigma is a multiple of the identity."""
        return bool((self.spectrum == self.spectrum[0]).all())

    def rotate_back(self, weights: np.ndarray) -> np.ndarray:
        """Return weights (..., d) in the coordinates of the user."""
        # Not a BLAS product: its rounding depends on the number of weights.
        return weights if self.rotation is None else np.einsum("...j,ij->...i", weights, self.rotation)
