"""Sweep: an experiment, the values that vary, and the points that follow from them in one order.

NumPy is not imported.
"""

import dataclasses
import hashlib
import itertools
import json
import math
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

from fastcollapse.config.fields import BoolField, IntField, Section, ValidationErrors, build, parameter, show
from fastcollapse.errors import InputError
from fastcollapse.simulation.experiment import Experiment, apply_overrides, read_toml

MAX_POINTS = 10**6
# Up to so many points each is checked before anything runs (0.1 ms a point); of more, each value by itself.
CHECKED = 5_000
_SEED_DOMAIN = b"fastcollapse sweep 1\0"


@dataclasses.dataclass(frozen=True)
class Varied:
    """Accept a table of dotted keys, or whole sections, and the list of values that each takes."""

    text: ClassVar[str] = "table of dotted keys and lists of values"

    def __call__(self, value: object) -> tuple[tuple[str, tuple], ...]:
        if not isinstance(value, Mapping):
            raise ValidationErrors([("", f"must be a {self.text}, got {show(value)}")])
        found = list(_flat(value))
        items = [(_quoted(key), problem) for key, values in found if (problem := _wrong(key, values))]
        if items:
            raise ValidationErrors(items)
        return tuple((key, tuple(values)) for key, values in found)


def _flat(table: Mapping, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield dotted keys and their values; a table within is more of the key, as TOML reads `a.b = [1]`."""
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _within(key: str, values: Iterable[Any]) -> list[str]:
    """Return the dotted keys that a key of a sweep varies: itself, or, of a section, those of its tables."""
    if "." in key:
        return [key]
    return list(dict.fromkeys(f"{key}.{below}" for table in values for below in table))


def overlap(key: str, other: str) -> bool:
    """Is one of two dotted keys the other, or within it?

    Examples
    --------
    >>> overlap("truth", "truth.rate"), overlap("run.seed", "run.seeds")
    (True, False)
    """
    return f"{key}.".startswith(f"{other}.") or f"{other}.".startswith(f"{key}.")


def _quoted(key: str) -> str:
    return f'"{key}"'


def _wrong(key: str, values: Any) -> str:
    """Return what is wrong with the values of a key, or ""."""
    if not isinstance(values, (list, tuple)) or not values:
        return f"must be a list of values, got {show(values)}"
    section, _, rest = key.partition(".")
    if section == "sweep":
        return "must be a key of the experiment, got one of the sweep itself"
    if section == "recipe":
        return "cannot be varied: no number depends on it"
    seen = set()
    for one in values:
        if not rest and not isinstance(one, Mapping):
            return f"must be a section and a key such as workflow.n_samples, or a list of tables, got {show(one)}"
        try:
            text = _canonical(one)
        except (TypeError, ValueError):
            return f"must hold finite numbers, strings, lists and tables, got {show(one)}"
        if text in seen:
            return f"must have each value once, got {show(one)} twice"
        seen.add(text)
    return ""


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


@dataclasses.dataclass(frozen=True)
class SweepSection(Section):
    """`[sweep]`: what varies between the points, and how they are seeded."""

    section: ClassVar[str] = "sweep"

    grid: tuple | None = parameter(Varied(), "keys and values of which every combination is a point", default=None)
    zip: tuple | None = parameter(Varied(), "keys and values that go together, the first with the first", default=None)
    seed: int | None = parameter(
        IntField(0, 2**64 - 1), "seed that those of the points are made from; run.seed by default", default=None
    )
    paired: bool = parameter(
        BoolField(), "have all points the same seed, so that their differences carry less noise?", default=False
    )

    def relations(self) -> list[tuple[str, str]]:
        varied = (*(self.grid or ()), *(self.zip or ()))
        keys = [key for key, _ in varied]
        if not keys:
            return [("", 'must have [sweep.grid] or [sweep.zip] with a key such as "workflow.n_samples" = [10, 100]')]
        expanded = [(key, one) for key, values in varied for one in _within(key, values)]
        for i, (key, one) in enumerate(expanded):
            for other, before in expanded[:i]:
                if overlap(one, before):
                    return [("", f"must vary {one} in one place, got {other} and {key}")]
        lengths = {key: len(values) for key, values in self.zip or ()}
        if len(set(lengths.values())) > 1:
            shown = ", ".join(f"{n} of {key}" for key, n in lengths.items())
            return [("zip", f"must have lists of one length, got {shown}")]
        if self.paired and any(one == "run.seed" for _, one in expanded):
            return [("paired", "must be left out where run.seed is varied")]
        return []


@dataclasses.dataclass(frozen=True)
class Axis:
    """What varies along one dimension: a key of the grid, or all keys of the zip together."""

    keys: tuple[str, ...]
    values: tuple[tuple, ...]

    def __len__(self) -> int:
        return len(self.values[0])

    @property
    def varies(self) -> list[str]:
        """Dotted keys of the experiment."""
        pairs = zip(self.keys, self.values, strict=True)
        return [one for key, values in pairs for one in _within(key, values)]

    def at(self, i: int) -> dict[str, Any]:
        """Return key -> value of entry i."""
        return {key: values[i] for key, values in zip(self.keys, self.values, strict=True)}


@dataclasses.dataclass(frozen=True)
class Point:
    """One experiment of a sweep: its number from 0 on, the values that make it this one, and all of it."""

    index: int
    values: Mapping[str, Any]
    experiment: Experiment

    @property
    def words(self) -> str:
        """What makes it this point."""
        return ", ".join(f"{key} = {show(value)}" for key, value in self.values.items())


@dataclasses.dataclass(frozen=True, eq=False)
class Sweep:
    """An experiment and what varies in it: points in the order of nested loops, the last axis the innermost.

    Parameters
    ----------
    mapping
        The experiment file as a mapping, with the section `sweep`.
    base
        Folder of the file, where its data files are looked for; None if it came from no file.
    text
        The user's TOML, verbatim, or "".
    checked
        Has each point been looked at before?

    Raises
    ------
    InputError
        Unknown keys, lists of unequal length, values that a point refuses; naming the key.

    Examples
    --------
    >>> sweep = Sweep({"model": {"family": "poisson"}, "truth": {"rate": 1.0}, "workflow": {"name": "replace"},
    ...                "run": {"n_generations": 5, "n_replicates": 2, "seed": 1},
    ...                "sweep": {"grid": {"workflow.n_samples": [10, 100], "truth.rate": [1.0, 2.0, 3.0]}}})
    >>> len(sweep), sweep.shape, sweep[4].words
    (6, (2, 3), 'workflow.n_samples = 100, truth.rate = 2.0')
    """

    mapping: Mapping[str, Any]
    base: Path | None = None
    text: str = ""
    checked: bool = False
    section: SweepSection = dataclasses.field(init=False)

    def __post_init__(self) -> None:
        if not isinstance(self.mapping, Mapping) or not isinstance(self.mapping.get("sweep"), Mapping):
            raise InputError("a sweep must have the section [sweep.grid] or [sweep.zip], got none")
        object.__setattr__(self, "section", build(SweepSection, self.mapping["sweep"]))
        recipe = self.mapping.get("recipe", {})
        if isinstance(recipe, Mapping) and "cases" in recipe:
            raise InputError("recipe.cases must be left out of a sweep, use sweep.grid or sweep.zip")
        self[0]  # what is wrong with all points is said once
        if self.seed is not None and not self.checked:
            self._check_points()

    @classmethod
    def from_toml(cls, path: str | os.PathLike) -> "Sweep":
        """Return the sweep that a TOML file describes.

        Raises
        ------
        InputError
            A file that cannot be read, is not TOML, or holds values that are refused.
        """
        mapping, text = read_toml(path)
        return cls(mapping, Path(path).resolve().parent, text)

    def with_values(self, values: Mapping[str, Any]) -> "Sweep":
        """Return the sweep with other values of its experiment, by dotted key, none of which it varies.

        Raises
        ------
        InputError
            As the sweep itself.
        """
        for key in values:
            if key.partition(".")[0] == "sweep":
                raise InputError(f"{key} must be changed in the file: it is no value of the experiment")
            for axis in self.axes:
                if any(overlap(key, one) for one in axis.varies):
                    raise InputError(f"{key} must be left to the sweep, which varies it")
        own = {"sweep": self.mapping["sweep"]}
        experiment = {name: table for name, table in self.mapping.items() if name != "sweep"}
        if "run.seed" in values and self.section.seed is not None:
            own = {"sweep": {key: value for key, value in own["sweep"].items() if key != "seed"}}
        return Sweep({**apply_overrides(experiment, values), **own}, self.base, self.text)

    @property
    def axes(self) -> tuple[Axis, ...]:
        """The keys of the grid in the order of the file, each a dimension, then those of the zip, which are one."""
        axes = [Axis((key,), (values,)) for key, values in self.section.grid or ()]
        if self.section.zip:
            axes.append(Axis(*map(tuple, zip(*self.section.zip, strict=True))))  # type: ignore[arg-type]
        return tuple(axes)

    @property
    def shape(self) -> tuple[int, ...]:
        """How many values each axis has."""
        return tuple(map(len, self.axes))

    def __len__(self) -> int:
        return math.prod(self.shape)

    @property
    def seed(self) -> int | None:
        """What the seeds of the points are made from; None if neither [sweep] nor [run] has one."""
        run = self.mapping.get("run", {})
        return self.section.seed if self.section.seed is not None else run.get("seed")

    def resolve_seed(self, seed: int | None = None) -> "Sweep":
        """Return the sweep with a seed: its own, or the one given, or one drawn from the system (63 bits)."""
        if self.seed is not None:
            return self
        drawn = int.from_bytes(os.urandom(8), "little") >> 1 if seed is None else seed
        section = {**self.mapping["sweep"], "seed": drawn}
        return Sweep({**self.mapping, "sweep": section}, self.base, self.text, self.checked)

    def __getitem__(self, index: int) -> Point:
        """Return point `index`, from 0 on.

        Its seed is run.seed if that is varied, the sweep's if the points are paired, otherwise 63 bits of the SHA-256
        of the sweep's seed (8 bytes, little-endian) and the digest of the point's experiment without a seed: what
        other points there are does not matter.

        Raises
        ------
        InputError
            What the experiment refuses.
        """
        if not 0 <= index < len(self):
            raise IndexError(index)
        values: dict[str, Any] = {}
        for axis, i in zip(self.axes, _unravel(index, self.shape), strict=True):
            values |= axis.at(i)
        given: dict[str, Any] = {}
        for key, value in values.items():
            given |= {key: value} if "." in key else {f"{key}.{below}": one for below, one in value.items()}
        plain = {name: table for name, table in self.mapping.items() if name != "sweep"}
        try:
            experiment = Experiment.from_mapping(apply_overrides(plain, given), base=self.base, text=self.text)
        except ValidationErrors as error:
            raise ValidationErrors(
                [(key, f"{problem} (point {index} of the sweep)") for key, problem in error.items]
            ) from None
        if "run.seed" not in given and self.seed is not None:
            run = dataclasses.replace(experiment.run, seed=self._seed_of(experiment))
            experiment = dataclasses.replace(experiment, run=run)
        return Point(index, values, experiment)

    def _seed_of(self, experiment: Experiment) -> int:
        assert self.seed is not None
        if self.section.paired:
            return self.seed
        plain = dataclasses.replace(experiment, run=dataclasses.replace(experiment.run, seed=None)).digest
        made = hashlib.sha256(_SEED_DOMAIN + self.seed.to_bytes(8, "little") + bytes.fromhex(plain))
        return int.from_bytes(made.digest()[:8], "little") >> 1

    @property
    def digest(self) -> str:
        """SHA-256 of what the points are, in hexadecimal; a seed that was drawn is not part of it."""
        given = self[0].experiment.to_mapping()
        given["run"].pop("seed", None)
        plain = {name: table for name, table in given.items() if name != "recipe"}
        whole = [plain, [[axis.keys, axis.values] for axis in self.axes], self.seed, self.section.paired]
        return hashlib.sha256(_canonical(whole).encode()).hexdigest()

    def _check_points(self) -> None:
        """Refuse a value that some point refuses, and two points that are the same experiment."""
        if len(self) <= CHECKED:
            checked = range(len(self))
        else:  # each value of each axis, where the others have their first
            strides = [math.prod(self.shape[k + 1 :]) for k in range(len(self.shape))]
            steps = (range(0, n * stride, stride) for n, stride in zip(self.shape, strides, strict=True))
            checked = itertools.islice(itertools.chain(*steps), CHECKED)  # type: ignore[assignment]
        seen: dict[str, int] = {}
        for index in checked:
            digest = self[index].experiment.digest
            if seen.setdefault(digest, index) != index:
                raise InputError(f"points of a sweep must differ, got {seen[digest]} and {index}: {self[index].words}")


def _unravel(index: int, shape: tuple[int, ...]) -> tuple[int, ...]:
    found = []
    for n in reversed(shape):
        index, i = divmod(index, n)
        found.append(i)
    return tuple(reversed(found))
