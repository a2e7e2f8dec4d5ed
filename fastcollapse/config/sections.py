"""The sections of an experiment except the workflow: one dataclass each, with bounds, defaults and help.

The keys of `[model]` and `[truth]` belong to the model family, which extends `ModelSection` and `TruthSection`.
"""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from fastcollapse.config.fields import (
    BoolField,
    FloatField,
    IntField,
    ListField,
    StringField,
    ValidationErrors,
    parameter,
    show,
)
from fastcollapse.config.section_base import Section
from fastcollapse.config.stop_condition import StopField


@dataclasses.dataclass(frozen=True)
class ModelSection(Section):
    """Parameters of a model family. A family without parameters uses this class itself."""

    section: ClassVar[str] = "model"
    # Values of a key `engine` for a family with several, the first that of older files; files record the one in use.
    engines: ClassVar[tuple[str, ...]] = ()
    # Whether the parameters name code of the user, which a results file alone does not give.
    names_code: ClassVar[bool] = False


@dataclasses.dataclass(frozen=True)
class TruthSection(Section):
    """The law of generation 0; families extend this class."""

    section: ClassVar[str] = "truth"
    # Whether `load` returns the sentences of a text.
    has_sentences: ClassVar[bool] = False
    # Alternative keys, of which a section has exactly one, each with the keys that go with it.
    alternatives: ClassVar[Mapping[str, tuple[str, ...]]] = {}

    @property
    def source(self) -> str:
        """Description of the truth."""
        return ", ".join(f"{name} = {_short(value)}" for name, value in self.to_mapping().items())

    @property
    def total(self) -> None:
        """Number of tokens of the real data; None for a distribution without data."""
        return None

    @property
    def files(self) -> tuple[str, ...]:
        """Paths of the data files that `load` reads, as written by the user."""
        return ()

    @property
    def inputs(self) -> Mapping[str, str]:
        """SHA-256 of the data files by path, in hexadecimal, as on every truth that `load` returns."""
        return {}

    def load(self, base: Path | None = None) -> Any:
        """Return the truth that the model uses; by default the section itself.

        A truth has the attributes `total` and `inputs` of this class. `DataFiles` opens data files and hashes them.

        Parameters
        ----------
        base : folder of the experiment file, which is also searched for data files.

        Raises
        ------
        InputError
            A data file cannot be read, or lacks data that the section needs.
        """
        return self


def _short(value: object) -> str:
    """Return a value as `show` does, strings without quotes."""
    return value if isinstance(value, str) else show(value)


@dataclasses.dataclass(frozen=True)
class Cases:
    """Accept a list of tables of dotted keys of the experiment and their values."""

    text: ClassVar[str] = "list of tables of dotted keys and values"

    def __call__(self, value: object) -> tuple[dict[str, Any], ...]:
        """Return the checked value."""
        if not isinstance(value, (list, tuple)) or not value:
            raise ValidationErrors([("", f"must be a {self.text}, got {show(value)}")])
        for i, case in enumerate(value):
            if not isinstance(case, dict) or not case or not all(isinstance(key, str) for key in case):
                raise ValidationErrors([(f"[{i}]", f"must be a table of dotted keys and values, got {show(case)}")])
        return tuple(value)


@dataclasses.dataclass(frozen=True)
class Recipe(Section):
    """The figure of an experiment; no simulated number depends on it."""

    section: ClassVar[str] = "recipe"

    title: str = parameter(StringField(), "title of the figure, one line")
    source: str | None = parameter(StringField(), "paper and figure that it reproduces", default=None)
    note: str | None = parameter(StringField(), "error of the published figure, one sentence", default=None)
    panels: tuple[str, ...] | None = parameter(
        ListField(StringField()), "panels; by default those of the family", default=None
    )
    generations: tuple[int, ...] | None = parameter(
        ListField(IntField(0, 10**7)), "generations of the table and its scores", default=None
    )
    linear: bool = parameter(BoolField(), "whether the axis of generations is linear", default=False)
    overlay: str | None = parameter(StringField(), "dotted key whose cases share one panel", default=None)
    published: bool = parameter(BoolField(), "whether published bounds are drawn too", default=False)
    eps: float | None = parameter(FloatField(0, 1e300, above=True), "threshold of a tail probability", default=None)
    symbol: int | None = parameter(IntField(0, 10**8), "symbol that a panel shows", default=None)
    samples: tuple[int, ...] | None = parameter(
        ListField(IntField(1, 10**9)), "downstream sample sizes to show; by default all", default=None
    )
    ridge: tuple[float, ...] | None = parameter(
        ListField(FloatField(0, 1e300)), "downstream ridges, or exponents, to show", default=None
    )
    over: tuple[str, ...] | None = parameter(
        ListField(StringField()), "sweeps: the one or two parameters that the figure is over", default=None
    )
    fixed: tuple[str, ...] | None = parameter(
        ListField(StringField()),
        'sweeps: values of other parameters in the figure, "PARAMETER=VALUE" each',
        default=None,
    )
    heat_map: bool | None = parameter(BoolField(), "sweeps: whether the figure is a heat map", default=None)
    read_off: tuple[dict[str, Any], ...] | None = parameter(
        Cases(),
        "values read from the published figure: label, generations, values, number of the case, source if another, "
        "other_data if the figure is of other data",
        default=None,
    )
    cases: tuple[dict[str, Any], ...] | None = parameter(Cases(), "values that differ between the runs", default=None)

    def relations(self) -> list[tuple[str, str]]:
        """Return what is wrong with the keys together: (key, problem) pairs."""
        for i, read in enumerate(self.read_off or ()):
            lists: Any = read.get("generations"), read.get("values")
            if not isinstance(read.get("label"), str) or not all(isinstance(one, list) and one for one in lists):
                return [(f"read_off[{i}]", f"must have label, generations and values, got {show(read)}")]
            if len(lists[0]) != len(lists[1]):
                return [(f"read_off[{i}]", f"must have as many values as generations, got {show(read)}")]
            if not isinstance(read.get("source", ""), str):
                return [(f"read_off[{i}].source", f"must be text, got {show(read['source'])}")]
            if not isinstance(read.get("other_data", False), bool):
                return [(f"read_off[{i}].other_data", f"must be true or false, got {show(read['other_data'])}")]
        return []


@dataclasses.dataclass(frozen=True)
class Record:
    """Accept one name or a list of names of recorded data, and return a tuple in a fixed order.

    `Experiment` checks the names of metrics, which depend on the family. Names beside "metrics" are added to it.
    """

    names: ClassVar[tuple[str, ...]] = ("metrics", "trajectory")
    text: ClassVar[str] = "list of metrics | trajectory | names of metrics"

    def __call__(self, value: object) -> tuple[str, ...]:
        """Return the checked value."""
        given = (value,) if isinstance(value, str) else ListField(StringField())(value)
        if len(set(given)) < len(given):
            raise ValidationErrors([("", f"must not contain a name twice, got {show(list(given))}")])
        others = sorted(set(given) - set(self.names))
        return tuple(name for name in ("metrics", *others, "trajectory") if name in given)


@dataclasses.dataclass(frozen=True)
class Run(Section):
    """Length, number of replicates, seed and recorded data of a run."""

    section: ClassVar[str] = "run"

    n_generations: int = parameter(IntField(1, 10**7), "number of refits", unit="generations")
    n_replicates: int = parameter(IntField(1, 10**7), "number of independent repetitions", unit="replicates")
    seed: int | None = parameter(
        IntField(0, 2**64 - 1), "seed; if absent, drawn from the system and recorded", default=None
    )
    record: tuple[str, ...] = parameter(
        Record(), "all metrics or some by name, and with trajectory the state of every generation", default=("metrics",)
    )
    stop: str | None = parameter(
        StopField(),
        "condition on recorded metrics, such as 'support_size == 1': the run ends at the first generation at which "
        "every replicate has met it, or after n_generations",
        default=None,
    )
