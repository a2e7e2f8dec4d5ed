"""Sections of the kernel density family: the truth and the bandwidth."""

import dataclasses
import math
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from fastcollapse.config.fields import (
    MAX_COUNT,
    ChoiceField,
    FloatField,
    IntField,
    ListField,
    OneOrMoreField,
    StringField,
    is_list,
    parameter,
    refuse,
    show,
)
from fastcollapse.config.section_base import Section, TableField
from fastcollapse.config.sections import ModelSection, TruthSection
from fastcollapse.datasets.data_files import split_name
from fastcollapse.models.kde.truth import CIRCLES, MIXTURE, MOONS, ROWS, SWISS_ROLL, KdeTruth, load_rows

MAX_DIMENSION = 100
_LARGEST = 1e100
_SMALLEST = 1e-100
_SYMMETRY = 1e-12
SHAPES = {"blobs": MIXTURE, "circles": CIRCLES, "moons": MOONS, "swiss_roll": SWISS_ROLL}
_DIMENSION = {"blobs": 2, "circles": 2, "moons": 2, "swiss_roll": 3}
_DEFAULT_NOISE = 0.05
N_BLOBS = 3
RULES = ("scott", "silverman", "scaled")


@dataclasses.dataclass(frozen=True)
class NormalMixture(Section):
    """A mixture of normal laws in d dimensions.

    Examples
    --------
    >>> NormalMixture(weights=(0.5, 0.5), means=(-1, 1), covariances=(0.25, 0.25)).arrays()[1]
    array([[-1.],
           [ 1.]])
    """

    weights: tuple[float, ...] = parameter(
        ListField(FloatField(0, 1, above=True)), "weights of the components, which sum to 1 within 1e-9"
    )
    means: tuple[Any, ...] = parameter(
        ListField(OneOrMoreField(FloatField(-_LARGEST, _LARGEST))),
        "mean of each component: a number in one dimension, else a list",
    )
    covariances: tuple[Any, ...] = parameter(
        ListField(OneOrMoreField(OneOrMoreField(FloatField(-_LARGEST, _LARGEST)))),
        "covariance of each component: a number, the variance of every coordinate, or a list of rows",
    )

    def relations(self) -> list[tuple[str, str]]:
        """Return the contradictions between parameters, as (key, message)."""
        n = len(self.weights)
        if abs(math.fsum(self.weights) - 1) > 1e-9:
            return [("weights", f"must sum to 1 within 1e-9, got {show(math.fsum(self.weights))}")]
        for name in ("means", "covariances"):
            if len(getattr(self, name)) != n:
                return [(name, f"must have {n} entries, one a weight, got {len(getattr(self, name))}")]
        d = self.dimension
        if d > MAX_DIMENSION:
            return [("means", f"must have at most {MAX_DIMENSION} coordinates, got {d}")]
        if any((len(mean) if isinstance(mean, tuple) else 1) != d for mean in self.means):
            return [("means", f"must all have {d} coordinates, got {show(list(self.means))}")]
        for i, given in enumerate(self.covariances):
            problem = _covariance_problem(given, d)
            if problem:
                return [(f"covariances[{i}]", problem)]
        return []

    @property
    def dimension(self) -> int:
        """Number of coordinates d."""
        return len(self.means[0]) if isinstance(self.means[0], tuple) else 1

    def arrays(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return weights (K), means (K, d) and covariances (K, d, d)."""
        d = self.dimension
        weights = np.array(self.weights) / math.fsum(self.weights)
        means = np.array(self.means, dtype=np.float64).reshape(-1, d)
        return weights, means, np.array([_matrix(given, d) for given in self.covariances])


def _matrix(given: Any, d: int) -> np.ndarray:
    """Return a covariance (d, d)."""
    return np.array(given, dtype=np.float64) if isinstance(given, tuple) else given * np.eye(d)


def _covariance_problem(given: Any, d: int) -> str:
    """Return why a covariance is refused, or ""."""
    if isinstance(given, tuple) and {len(row) if isinstance(row, tuple) else 0 for row in given} | {len(given)} != {d}:
        return f"must be a number or {d} rows of {d} numbers, got {show(given)}"
    matrix = _matrix(given, d)
    scale = np.sqrt(np.abs(np.outer(matrix.diagonal(), matrix.diagonal())))
    if (np.abs(matrix - matrix.T) > _SYMMETRY * scale).any():
        return f"must be symmetric, got {show(given)}"
    if matrix.diagonal().min() < _SMALLEST or np.linalg.eigvalsh(matrix)[0] <= 0:
        return f"must be positive definite, got {show(given)}"
    return ""


@dataclasses.dataclass(frozen=True)
class KdeTruthSection(TruthSection):
    """The law of generation 0: a published shape, a normal mixture, or the rows of a file.

    Examples
    --------
    >>> KdeTruthSection(shape="circles").load().dimension
    2
    """

    alternatives: ClassVar[dict[str, tuple[str, ...]]] = {
        "shape": ("noise", "placement"),
        "normal_mixture": (),
        "rows": ("split_seed",),
    }

    shape: str | None = parameter(
        ChoiceField(lambda: SHAPES), "shape in two dimensions, or three for swiss_roll", default=None
    )
    noise: float | None = parameter(
        FloatField(0, _LARGEST),
        "standard deviation of the noise of each coordinate of circles, moons and swiss_roll, by default 0.05",
        default=None,
    )
    placement: str | None = parameter(
        ChoiceField(lambda: ("even", "iid")),
        "circles and moons: points at equal angles, blobs: of equal numbers (even, the default), or independent (iid)",
        default=None,
    )
    normal_mixture: NormalMixture | None = parameter(TableField(NormalMixture), "mixture of normal laws", default=None)
    rows: str | None = parameter(
        StringField(),
        "file (.npy, .npz[:NAME], .csv) of points, one a row; real data is drawn from them with replacement",
        default=None,
    )
    split_seed: int | None = parameter(
        IntField(0, 2**63 - 1), "seed of the random choice of held-out rows, by default 0", default=None
    )
    n_test: int = parameter(IntField(1, 10**7), "number of held-out real points", default=500, unit="points")

    def relations(self) -> list[tuple[str, str]]:
        """Return the contradictions between parameters, as (key, message)."""
        given = [name for name in self.alternatives if getattr(self, name) is not None]
        if len(given) != 1:
            names = f"exactly one of {', '.join(self.alternatives)}"
            return [("", f"must have {names}, got {' and '.join(given) or 'none'}")]
        if self.noise is not None and self.shape in (None, "blobs"):
            return [("noise", f"must be absent unless truth.shape is circles, moons or swiss_roll, got {self.noise:g}")]
        if self.placement is not None and self.shape is None:
            return [("placement", f"must be absent without truth.shape, got {show(self.placement)}")]
        if self.placement == "even" and self.shape == "swiss_roll":
            return [("placement", "must be 'iid' for a swiss_roll, whose published points are, got 'even'")]
        if self.split_seed is not None and self.rows is None:
            return [("split_seed", f"must be absent without truth.rows, got {self.split_seed}")]
        return []

    @property
    def files(self) -> tuple[str, ...]:
        """Path of the file of rows."""
        return () if self.rows is None else (split_name(self.rows)[0],)

    def load(self, base: Path | None = None) -> KdeTruth:
        """Return the truth as arrays.

        Parameters
        ----------
        base : folder of the experiment file, which is also searched for data files.

        Raises
        ------
        InputError
            The file cannot be read, has entries that are not finite or more than 100 columns, or too few rows.
        """
        if self.rows is not None:
            rows, test_rows, inputs = load_rows(self.rows, self.n_test, self.split_seed or 0, MAX_DIMENSION, base)
            return KdeTruth(ROWS, rows.shape[1], self.n_test, rows=rows, test_rows=test_rows, inputs=inputs)
        if self.normal_mixture is not None:
            weights, means, covariances = self.normal_mixture.arrays()
            d = self.normal_mixture.dimension
            return KdeTruth(MIXTURE, d, self.n_test, weights=weights, means=means, covariances=covariances)
        assert self.shape is not None
        even = self.shape != "swiss_roll" and self.placement != "iid"
        d = _DIMENSION[self.shape]
        if self.shape == "blobs":
            ones = np.broadcast_to(np.eye(d), (N_BLOBS, d, d)).copy()
            weights, means = np.full(N_BLOBS, 1 / N_BLOBS), np.zeros((N_BLOBS, d))
            return KdeTruth(MIXTURE, d, self.n_test, even, True, weights=weights, means=means, covariances=ones)
        noise = _DEFAULT_NOISE if self.noise is None else self.noise
        return KdeTruth(SHAPES[self.shape], d, self.n_test, even, noise=noise)


@dataclasses.dataclass(frozen=True)
class PowerLaw(Section):
    """Bandwidth `start * t**power` of generation t = 1, 2, ..."""

    start: float = parameter(FloatField(0, _LARGEST, above=True), "bandwidth of generation 1")
    power: float = parameter(FloatField(-100, 100), "exponent of the generation")


@dataclasses.dataclass(frozen=True)
class _Bandwidth:
    """Check of a bandwidth: a number, a list of them, a power law, or a rule."""

    text: ClassVar[str] = f"number above 0, a list with one a generation, a table {{start, power}}, {', '.join(RULES)}"
    list_depth: ClassVar[int] = 1

    def __call__(self, value: Any) -> Any:
        if isinstance(value, str):
            return ChoiceField(lambda: RULES)(value)
        if isinstance(value, dict | PowerLaw):
            return TableField(PowerLaw)(value)
        if not is_list(value) and (isinstance(value, bool) or not isinstance(value, int | float)):
            raise refuse(self.text, value)
        # Above 0 first: the limit is for squares, which must not be 0.
        found = OneOrMoreField(FloatField(0, _LARGEST, above=True))(value)
        return OneOrMoreField(FloatField(_SMALLEST, _LARGEST))(found)


@dataclasses.dataclass(frozen=True)
class _Observed:
    """Check of the generations that are observed: a list of them, or "log"."""

    text: ClassVar[str] = "list of generations, or log"
    list_depth: ClassVar[int] = 1

    def __call__(self, value: Any) -> Any:
        if isinstance(value, str):
            return ChoiceField(lambda: ("log",))(value)
        if not is_list(value):
            raise refuse(self.text, value)
        return ListField(IntField(1, MAX_COUNT))(value)


@dataclasses.dataclass(frozen=True)
class KdeParameters(ModelSection):
    """Bandwidth of the density estimates, and the generations whose points are drawn."""

    bandwidth: Any = parameter(
        _Bandwidth(),
        "standard deviation of the kernel: a number, one for each generation, the rules of scikit-learn without the "
        "scale of the data (scott, silverman), or Scott's factor times the sample covariance, as in SciPy (scaled)",
    )
    observed: Any = parameter(
        _Observed(),
        "with replace: generations whose points are drawn, a list or about 30 in equal ratios (log); the others are "
        "skipped, exactly in law, and have no metrics. The first and the last are always drawn; by default all are",
        default=None,
    )
