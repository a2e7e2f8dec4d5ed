"""Parameters of the kernel ridge family."""

import dataclasses
from typing import Any, ClassVar

import numpy as np

from fastcollapse.config.fields import (
    ChoiceField,
    FloatField,
    IntField,
    ValidationErrors,
    parameter,
    refuse,
)
from fastcollapse.config.section_base import TableField
from fastcollapse.config.sections import ModelSection
from fastcollapse.errors import InputError
from fastcollapse.kernels.regression.kernel_matrix import (
    LAPLACIAN,
    LINEAR,
    MATERN_1,
    MATERN_3,
    MATERN_5,
    POLYNOMIAL,
    RBF,
    Kernel,
)
from fastcollapse.models.kernel_ridge.kernels import all_distances
from fastcollapse.models.ridge.downstream_parameters import LARGEST, LARGEST_RIDGE, DownstreamParameters
from fastcollapse.models.ridge.mixed_labels_parameters import MixedLabelsParameters, mixed_label_relations

_LARGEST = 1e100
_KINDS = {"rbf": RBF, "polynomial": POLYNOMIAL, "linear": LINEAR, "laplacian": LAPLACIAN, "matern": MATERN_3}
_MATERNS = {0.5: MATERN_1, 1.5: MATERN_3, 2.5: MATERN_5}
# Maximum number of rows used to estimate the scale of a kernel.
_N_SCALE = 500


@dataclasses.dataclass(frozen=True)
class _Scale:
    """Check of a length or "median"."""

    text: ClassVar[str] = "number above 0 or 'median'"

    def __call__(self, value: Any) -> Any:
        if isinstance(value, str):
            if value != "median":
                raise refuse(self.text, value)
            return "median"
        return FloatField(0, _LARGEST, above=True)(value)


@dataclasses.dataclass(frozen=True)
class _Order:
    """Check of the order of a Matern kernel."""

    text: ClassVar[str] = "0.5, 1.5 or 2.5"

    def __call__(self, value: Any) -> float:
        order = FloatField(0, _LARGEST)(value)
        if order not in _MATERNS:
            raise refuse(self.text, value)
        return order


@dataclasses.dataclass(frozen=True)
class KernelRidgeParameters(ModelSection):
    """Kernel, sampling and fit of each generation, and the downstream predictor.

    The kernels with scale s are rbf exp(-|x - x'|^2 / (2 s^2)), laplacian exp(-|x - x'|_1 / s), polynomial
    (<x, x'> / s^2 + offset)^degree, linear <x, x'> / s^2, and matern of order nu in |x - x'| / s. All defaults are
    specific to this project.
    """

    kernel: str = parameter(ChoiceField(lambda: tuple(_KINDS)), "kernel of the regression")
    sigma: float = parameter(
        FloatField(0, LARGEST), "standard deviation of the label noise of real data and of downstream samples"
    )
    sigma0: float | None = parameter(
        FloatField(0, LARGEST),
        "standard deviation of the label noise of synthetic data; sigma by default",
        default=None,
    )
    scale: Any = parameter(
        _Scale(),
        "length scale; a number is in units of the largest input in size, by which the inputs are divided unless "
        "truth.scaling is 'none'; 'median': median distance of rows (polynomial, linear: root of the median square)",
        default="median",
    )
    degree: int | None = parameter(IntField(1, 20), "degree of the polynomial kernel, 3 by default", default=None)
    offset: float | None = parameter(
        FloatField(0, _LARGEST), "offset of the polynomial kernel, 1 by default", default=None
    )
    nu: float | None = parameter(_Order(), "order of the Matern kernel, 1.5 by default", default=None)
    ridge: float = parameter(
        FloatField(0, LARGEST_RIDGE), "ridge of the generations, multiplied by the number of samples", default=1e-6
    )
    precision: str = parameter(
        ChoiceField(lambda: ("float64", "float32")),
        "precision of the products of rows in the kernel matrix",
        default="float64",
    )
    spectrum_rows: int = parameter(
        IntField(0, 20_000),
        "number of held-out rows used to estimate the spectrum for theory; 0 for no theory",
        default=1000,
        unit="rows",
    )
    designs: str | None = parameter(
        ChoiceField(lambda: ("independent", "dependent")),
        "rows of the generations: independent (new ones for each), or dependent (the same for all, workflow replace); "
        "independent by default",
        default=None,
    )
    start: str | None = parameter(
        ChoiceField(lambda: ("zero", "previous")),
        "function that the ridge of a generation is towards: zero, or previous (that of the previous generation, to "
        "which the fit of what it lacks is added); zero by default",
        default=None,
    )
    downstream: DownstreamParameters | None = parameter(
        TableField(DownstreamParameters), "predictor trained on samples of a generation", default=None
    )
    mixed_labels: MixedLabelsParameters | None = parameter(
        TableField(MixedLabelsParameters),
        "grid of chains whose labels are weighted means of real and synthetic ones",
        default=None,
    )
    real_labels: str | None = parameter(
        ChoiceField(lambda: ("fresh", "fixed")),
        "real part of mixed labels: fresh noise in each generation, or fixed labels of dependent designs; "
        "fresh by default",
        default=None,
    )

    def relations(self) -> list[tuple[str, str]]:
        """Return the contradictions between parameters, as (key, message)."""
        owners = {"degree": "polynomial", "offset": "polynomial", "nu": "matern"}
        problems = [
            (name, f"must be left out where model.kernel is not '{owner}', got {getattr(self, name)}")
            for name, owner in owners.items()
            if getattr(self, name) is not None and self.kernel != owner
        ]
        return problems + mixed_label_relations(self)

    @property
    def is_dependent(self) -> bool:
        """Whether all generations have the same rows."""
        return self.designs == "dependent"

    @property
    def from_previous(self) -> bool:
        """Whether each fit is added to the function of the previous generation."""
        return self.start == "previous"

    @property
    def synthetic_noise(self) -> float:
        """Standard deviation of the label noise of synthetic data."""
        return self.sigma if self.sigma0 is None else self.sigma0

    def law(self, rows: np.ndarray, unit: float) -> Kernel:
        """Return the kernel for inputs in the units of the file.

        Parameters
        ----------
        rows : float64 (N, d), inputs in the units of the file.
        unit : unit of `scale` in the units of the file.

        Raises
        ------
        InputError
            The median length is 0.
        """
        kind = _MATERNS[self.nu or 1.5] if self.kernel == "matern" else _KINDS[self.kernel]
        scale = _median_length(kind, rows) if self.scale == "median" else self.scale * unit
        if scale <= 0:
            raise InputError("model.scale must be a number where most rows are equal, got 'median', which is 0")
        offset = 1.0 if self.offset is None else self.offset
        return Kernel(np.int64(kind), np.float64(scale), np.int64(self.degree or 3), np.float64(offset))


def _median_length(kind: int, rows: np.ndarray) -> float:
    """Return the median distance of the first rows; for kernels of products, the root of the median squared norm."""
    rows = rows[:_N_SCALE]
    if kind in (LINEAR, POLYNOMIAL):
        return float(np.sqrt(np.median(np.einsum("ij,ij->i", rows, rows))))
    if len(rows) < 2:
        raise ValidationErrors([("model.scale", "must be a number with a single row, got 'median'")])
    return float(np.median(_distances(rows, kind == LAPLACIAN)))


def _distances(rows: np.ndarray, sums: bool) -> np.ndarray:
    """Return the distances of all pairs, summed in an order that does not depend on a library."""
    distances = np.empty((len(rows), len(rows)))
    all_distances(rows, sums, distances)
    return distances[np.triu_indices(len(rows), 1)]
