"""Parameters of the discrete family."""

import dataclasses
from typing import ClassVar

from fastcollapse.config.fields import ChoiceField, parameter
from fastcollapse.config.sections import ModelSection

ENGINES = ("symbols", "spectrum")


@dataclasses.dataclass(frozen=True)
class DiscreteParameters(ModelSection):
    """The engine, which never changes the law of a result."""

    engines: ClassVar[tuple[str, ...]] = ENGINES

    engine: str | None = parameter(
        ChoiceField(lambda: ENGINES),
        "symbols: a count for each symbol; spectrum: the number of symbols of each count, without names; "
        "by default the spectrum where the metrics allow it and it pays",
        default=None,
    )
