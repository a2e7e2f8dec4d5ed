"""What a recorded array is, in words."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Variable:
    """An array over (replicate, generation, ...): its name for people, its unit, its further dimensions."""

    long_name: str
    units: str = "1"
    dims: tuple[str, ...] = ()

    @property
    def attributes(self) -> dict[str, str]:
        """Long name and unit, as a file and xarray have them."""
        return {"long_name": self.long_name, "units": self.units}
