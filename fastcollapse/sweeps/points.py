"""Sweep: an experiment with varied values, and its points in a fixed order.

NumPy is not imported.
"""

import dataclasses
import hashlib
import itertools
import math
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from fastcollapse.config.dotted_keys import overlap
from fastcollapse.config.fields import ValidationErrors, is_list, show
from fastcollapse.config.section_base import build
from fastcollapse.errors import InputError
from fastcollapse.simulation.experiment import Experiment
from fastcollapse.simulation.experiment_file import apply_overrides, read_toml
from fastcollapse.simulation.number_files import NumberFiles
from fastcollapse.simulation.stop_names import check_stop
from fastcollapse.sweeps.sweep_section import SweepSection, canonical_json, varied_keys

MAX_POINTS = 10**6
# Above this `len` fails, and the numbers of points have more than nine digits.
MAX_LENGTH = 10**9
# A sweep of up to this number of points has every point checked (0.1 ms each); a larger one has every value checked.
CHECKED = 5_000
_SEED_DOMAIN = b"fastcollapse sweep 1\0"


@dataclasses.dataclass(frozen=True)
class Axis:
    """One dimension of a sweep: a key of the grid, or all keys of the zip together."""

    keys: tuple[str, ...]
    values: tuple[tuple[Any, ...], ...]

    def __len__(self) -> int:
        return len(self.values[0])

    @property
    def varies(self) -> list[str]:
        """Dotted keys of the experiment that vary along the axis."""
        pairs = zip(self.keys, self.values, strict=True)
        return [varied_key for key, values in pairs for varied_key in varied_keys(key, values)]

    @property
    def names_files(self) -> bool:
        """Whether the data files may differ along the axis: a value is a string, or has one."""
        return any(
            isinstance(value, str | Mapping) or (is_list(value) and any(isinstance(one, str) for one in value))
            for values in self.values
            for value in values
        )

    def at(self, i: int) -> dict[str, Any]:
        """Return key -> value of entry i."""
        return {key: values[i] for key, values in zip(self.keys, self.values, strict=True)}


@dataclasses.dataclass(frozen=True)
class Point:
    """One experiment of a sweep: its number from 0, its values of the varied keys, and the experiment."""

    index: int
    values: Mapping[str, Any]
    experiment: Experiment

    @property
    def label(self) -> str:
        """Its values of the varied keys as text."""
        return ", ".join(f"{key} = {show(value)}" for key, value in self.values.items())


@dataclasses.dataclass(frozen=True, eq=False)
class Sweep:
    """An experiment and its varied values; the points are in the order of nested loops, the last axis innermost.

    Parameters
    ----------
    mapping : the experiment file as a mapping, with the section `sweep`.
    base : folder of the file, which contains its data files; None without a file.
    text : the TOML text of the user, or "".
    checked : whether the points have been checked before.
    numbers : reads the files of numbers of all points, each once; by default from `base`.

    Raises
    ------
    InputError
        A key is unknown, lists have unequal lengths, or a point refuses a value; the message names the key.

    Examples
    --------
    >>> sweep = Sweep({"model": {"family": "poisson"}, "truth": {"rate": 1.0}, "workflow": {"name": "replace"},
    ...                "run": {"n_generations": 5, "n_replicates": 2, "seed": 1},
    ...                "sweep": {"grid": {"workflow.n_samples": [10, 100], "truth.rate": [1.0, 2.0, 3.0]}}})
    >>> len(sweep), sweep.shape, sweep[4].label
    (6, (2, 3), 'workflow.n_samples = 100, truth.rate = 2.0')
    """

    mapping: Mapping[str, Any]
    base: Path | None = None
    text: str = ""
    checked: bool = False
    numbers: NumberFiles = dataclasses.field(default=None, repr=False)  # type: ignore[assignment]
    section: SweepSection = dataclasses.field(init=False)

    def __post_init__(self) -> None:
        if isinstance(self.mapping, str | os.PathLike):
            raise InputError(f"Sweep takes a mapping, got {show(self.mapping)}: use Sweep.from_toml(PATH) for a file")
        if not isinstance(self.mapping, Mapping):
            raise InputError(f"Sweep takes a mapping with a section [sweep], got {show(self.mapping)}")
        object.__setattr__(self, "section", _section(self.mapping))
        object.__setattr__(self, "numbers", self.numbers or NumberFiles(self.base))
        recipe = self.mapping.get("recipe", {})
        if isinstance(recipe, Mapping) and "cases" in recipe:
            raise InputError("recipe.cases must be left out of a sweep, use sweep.grid or sweep.zip")
        if math.prod(self.shape) > MAX_LENGTH:
            raise InputError(f"a sweep must have at most {MAX_LENGTH:,} points, got {math.prod(self.shape):,}")
        self[0]  # one message for an error that all points have
        if self.seed is not None and not self.checked:
            self._check_points()

    @classmethod
    def from_toml(cls, path: str | os.PathLike[str], values: Mapping[str, Any] | None = None) -> "Sweep":
        """Return the sweep that a TOML file describes.

        Parameters
        ----------
        values : values of the experiment by dotted key, as for `with_values`; the file may lack these keys.

        Raises
        ------
        InputError
            The file cannot be read, is not TOML, or has values that are refused.
        """
        mapping, text = read_toml(path)
        given = _changed(mapping, _section(mapping), values) if values else mapping
        return cls(given, Path(path).resolve().parent, text)

    def with_values(self, values: Mapping[str, Any]) -> "Sweep":
        """Return the sweep with other values of its experiment.

        Parameters
        ----------
        values : new values by dotted key; the sweep must not vary these keys.

        Raises
        ------
        InputError
            The sweep varies a key, or a value is refused.
        """
        return Sweep(_changed(self.mapping, self.section, values), self.base, self.text)

    @property
    def axes(self) -> tuple[Axis, ...]:
        """One axis for each key of the grid, in the order of the file, then one axis for all keys of the zip."""
        return _axes(self.section)

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of values of each axis."""
        return tuple(map(len, self.axes))

    def __len__(self) -> int:
        return math.prod(self.shape)

    @property
    def seed(self) -> int | None:
        """Seed from which the seeds of the points are derived; None if neither [sweep] nor [run] has one."""
        run = self.mapping.get("run", {})
        return self.section.seed if self.section.seed is not None else run.get("seed")

    def resolve_seed(self, seed: int | None = None) -> "Sweep":
        """Return the sweep with a seed: its own, the given one, or 63 bits drawn from the operating system."""
        if self.seed is not None:
            return self
        drawn = int.from_bytes(os.urandom(8), "little") >> 1 if seed is None else seed
        section = {**self.mapping["sweep"], "seed": drawn}
        return Sweep({**self.mapping, "sweep": section}, self.base, self.text, self.checked, self.numbers)

    def __getitem__(self, index: int) -> Point:
        """Return point `index`, from 0.

        The seed of the point is run.seed if that is varied, and the seed of the sweep if the points are paired.
        Otherwise it is 63 bits of the SHA-256 of the seed of the sweep (8 bytes, little-endian) and the digest of the
        experiment without a seed, so it does not depend on the other points.

        Raises
        ------
        InputError
            The experiment refuses a value.
        """
        if not 0 <= index < len(self):
            raise IndexError(index)
        values: dict[str, Any] = {}
        for axis, i in zip(self.axes, _unravel(index, self.shape), strict=True):
            values |= axis.at(i)
        given: dict[str, Any] = {}
        for key, value in values.items():
            given |= {key: value} if "." in key else {f"{key}.{inner}": item for inner, item in value.items()}
        plain = {name: table for name, table in self.mapping.items() if name != "sweep"}
        try:
            changed = apply_overrides(plain, given)
            experiment = Experiment.from_mapping(changed, self.base, self.text, self.numbers)
            check_stop(experiment)  # a sweep takes no functions of the user
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

    def data_files(self) -> list[str]:
        """Return the paths of the data files of all points, as written in the experiment, each once."""
        strides = [math.prod(self.shape[k + 1 :]) for k in range(len(self.shape))]
        steps = [
            range(0, len(axis) * stride if axis.names_files else 1, stride)
            for axis, stride in zip(self.axes, strides, strict=True)
        ]
        paths: dict[str, None] = {}
        for index in map(sum, itertools.product(*steps)):
            with suppress(InputError):  # a point that was not checked fails when it is computed
                experiment = self[index].experiment
                paths |= dict.fromkeys((*experiment.inputs, *experiment.truth.files))
                paths |= dict.fromkeys(experiment.sampling.files if experiment.sampling else ())
        return list(paths)

    @property
    def digest(self) -> str:
        """SHA-256 of all points, in hexadecimal; a drawn seed is not part of it."""
        given = self[0].experiment.to_mapping()
        given["run"].pop("seed", None)
        plain = {name: table for name, table in given.items() if name != "recipe"}
        content = [plain, [[axis.keys, axis.values] for axis in self.axes], self.seed, self.section.paired]
        return hashlib.sha256(canonical_json(content).encode()).hexdigest()

    def _check_points(self) -> None:
        """Refuse a value that a point refuses, and two points that are the same experiment."""
        if len(self) <= CHECKED:
            checked = range(len(self))
        else:  # each value of each axis, with the first value of the other axes
            strides = [math.prod(self.shape[k + 1 :]) for k in range(len(self.shape))]
            steps = (range(0, n * stride, stride) for n, stride in zip(self.shape, strides, strict=True))
            checked = itertools.islice(itertools.chain(*steps), CHECKED)  # type: ignore[assignment]
        seen: dict[str, int] = {}
        for index in checked:
            digest = self[index].experiment.digest
            if seen.setdefault(digest, index) != index:
                raise InputError(f"points of a sweep must differ, got {seen[digest]} and {index}: {self[index].label}")


def _section(mapping: Any) -> SweepSection:
    """Return the section `[sweep]` of an experiment file."""
    if not isinstance(mapping, Mapping) or not isinstance(mapping.get("sweep"), Mapping):
        raise InputError("a sweep must have the section [sweep.grid] or [sweep.zip], got none")
    return build(SweepSection, mapping["sweep"])


def _axes(section: SweepSection) -> tuple[Axis, ...]:
    axes = [Axis((key,), (values,)) for key, values in section.grid or ()]
    if section.zip:
        axes.append(Axis(*map(tuple, zip(*section.zip, strict=True))))
    return tuple(axes)


def _changed(mapping: Mapping[str, Any], section: SweepSection, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the mapping of a sweep with other values of its experiment; see `Sweep.with_values`."""
    for key in values:
        if key.partition(".")[0] == "sweep":
            raise InputError(f"{key} must be changed in the file: it is no value of the experiment")
        if any(overlap(key, varied_key) for axis in _axes(section) for varied_key in axis.varies):
            raise InputError(f"{key} must be left to the sweep, which varies it")
    own = {"sweep": mapping["sweep"]}
    experiment = {name: table for name, table in mapping.items() if name != "sweep"}
    if "run.seed" in values and section.seed is not None:
        own = {"sweep": {key: value for key, value in own["sweep"].items() if key != "seed"}}
    return {**apply_overrides(experiment, values), **own}


def _unravel(index: int, shape: tuple[int, ...]) -> tuple[int, ...]:
    found = []
    for n in reversed(shape):
        index, i = divmod(index, n)
        found.append(i)
    return tuple(reversed(found))
