"""What a recorded array is, in words, and where the entries of its dimensions are."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Variable:
    """An array over (replicate, generation, ...): its name for people, its unit, its further dimensions.

    Its numbers are finite, or a run stops; but `limits` are infinities that may be true, and where it may be `missing`
    it is NaN for all replicates of a generation.
    """

    long_name: str
    units: str = "1"
    dims: tuple[str, ...] = ()
    limits: tuple[float, ...] = ()
    missing: bool = False

    @property
    def attributes(self) -> dict[str, str]:
        """Long name and unit, as a file and xarray have them."""
        return {"long_name": self.long_name, "units": self.units}


@dataclass(frozen=True, eq=False)
class Coordinate:
    """Where the entries of a dimension are: int64 or float64 [n], read-only, a name for people and a unit."""

    values: np.ndarray
    long_name: str
    units: str = "1"

    def __post_init__(self) -> None:
        frozen = self.values[:]
        frozen.flags.writeable = False
        object.__setattr__(self, "values", frozen)

    @property
    def attributes(self) -> dict[str, str]:
        """Long name and unit, as a file and xarray have them."""
        return {"long_name": self.long_name, "units": self.units}
