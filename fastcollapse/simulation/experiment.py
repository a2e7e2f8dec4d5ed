"""Experiments: read from TOML, a mapping or the command line, and checked once.

The sections are in `config.sections` and `config.workflows`. NumPy is not imported, for a fast start.
"""

import dataclasses
import hashlib
import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from fastcollapse.config.arguments import check_mapping, paths_as_text
from fastcollapse.config.dotted_keys import flat
from fastcollapse.config.fields import show
from fastcollapse.config.sampling import Sampling
from fastcollapse.config.sections import ModelSection, Recipe, Run, TruthSection
from fastcollapse.config.toml_text import toml_value
from fastcollapse.config.workflow_base import Workflow
from fastcollapse.datasets.data_files import split_name
from fastcollapse.errors import InputError
from fastcollapse.models.registry import family as family_class
from fastcollapse.simulation.experiment_file import apply_overrides, read_toml
from fastcollapse.simulation.experiment_sections import checked_sections
from fastcollapse.simulation.number_files import NumberFiles


@dataclasses.dataclass(frozen=True)
class Experiment:
    """All values that determine the results of a run.

    Parameters
    ----------
    family : name of the model family.
    model, truth, workflow, run : sections of the experiment file; the family defines the keys of the first two.
    sampling : maps of the model before it is sampled, or None.
    recipe : the figure of the experiment, if there is one; not part of the digest.
    text : the TOML text of the user, unchanged, or "".
    base : folder of the experiment file, which is searched for data files; None without a file.
    number_files : path and SHA-256 of the file that a list of numbers was read from, by dotted key.
    is_recorded : whether it was read from results. Code that it names is not imported.

    Examples
    --------
    >>> experiment = Experiment.from_mapping({
    ...     "truth": {"probabilities": [0.01, 0.99]},
    ...     "workflow": {"name": "replace", "n_samples": 100},
    ...     "run": {"n_generations": 50, "n_replicates": 10, "seed": 1}})
    >>> experiment.run.record
    ('metrics',)
    """

    family: str
    model: ModelSection
    truth: TruthSection
    workflow: Workflow
    run: Run
    sampling: Sampling | None = None
    recipe: Recipe | None = dataclasses.field(default=None, compare=False)
    text: str = dataclasses.field(default="", compare=False)
    base: Path | None = dataclasses.field(default=None, compare=False)
    number_files: Mapping[str, tuple[str, str]] = dataclasses.field(default_factory=dict, compare=False)
    is_recorded: bool = dataclasses.field(default=False, compare=False)

    def __new__(cls, *sections: Any, **named: Any) -> "Experiment":
        """Refuse a mapping or a path, for which there are other calls; the sections themselves are of their classes."""
        given = (*sections[:1], *map(named.get, ("model", "truth", "workflow", "run")))
        if any(isinstance(one, Mapping) for one in given):
            raise InputError("Experiment takes sections that are built, got a mapping: use Experiment.from_mapping")
        if len(sections) == 1 and not named:
            raise InputError(f"Experiment takes sections, got {show(sections[0])}: use Experiment.from_toml for a file")
        return super().__new__(cls)

    @classmethod
    def from_mapping(
        cls, mapping: Mapping[str, Any], base: Path | None = None, text: str = "", numbers: NumberFiles | None = None
    ) -> "Experiment":
        """Return the experiment of a nested mapping of sections and keys.

        Where a key takes a list of numbers, the list may be a NumPy array, or the path of a file of numbers, which is
        read here: the experiment has the numbers.

        Parameters
        ----------
        mapping : sections, each with keys and values.
        base : folder that is searched for data files.
        text : text of the experiment file; by default the section `[recipe]`, which results record as this text.
        numbers : reads the files of numbers; by default from `base`.

        Raises
        ------
        InputError
            Keys are unknown, missing or refused; one line names all of them. Or a file of numbers cannot be read.

        Examples
        --------
        >>> Experiment.from_mapping({"truth": {"uniform": 1}, "run": {"n_generations": 1, "n_replicates": 0},
        ...                          "workflow": {"name": "replace", "n_samples": 1}})
        Traceback (most recent call last):
        fastcollapse.config.fields.ValidationErrors: truth.uniform must be at least 2, got 1; run.n_replicates must \
be at least 1, got 0
        """
        if not isinstance(mapping, Mapping):
            raise InputError(f"an experiment must be a table of sections, got {show(mapping)}")
        if "sweep" in mapping:
            raise InputError("this file has a [sweep] section: use `fastcollapse sweep`, or run_sweep in Python")
        family, sections, number_files = checked_sections(paths_as_text(mapping), base, numbers)
        if not text and "recipe" in sections:
            given = sections["recipe"].to_mapping()
            text = "\n".join(["[recipe]", *(f"{key} = {toml_value(value)}" for key, value in given.items())]) + "\n"
        return cls(family, **sections, text=text, base=base, number_files=number_files)

    @classmethod
    def from_toml(cls, path: str | os.PathLike[str]) -> "Experiment":
        """Return the experiment of a TOML file; `text` is the text of the file.

        Raises
        ------
        InputError
            The file cannot be read, is not TOML in UTF-8, or has values that are refused.
        """
        mapping, text = read_toml(path)
        return cls.from_mapping(mapping, base=Path(path).resolve().parent, text=text)

    @property
    def inputs(self) -> dict[str, str]:
        """SHA-256 of the files of numbers by path, in hexadecimal; other data files are read when a run is planned."""
        return {split_name(path)[0]: digest for path, digest in self.number_files.values()}

    def __repr__(self) -> str:
        sections = self.to_mapping().items()
        shown = (f"{name}.{key} = {show(value)}" for name, values in sections for key, value in values.items())
        return f"<Experiment: {', '.join(shown)}>"

    def to_mapping(self) -> dict[str, dict[str, Any]]:
        """Return the sections as JSON values, with defaults; `from_mapping` reads the result."""
        workflow = {"name": self.workflow.name, **self.workflow.to_mapping()}
        return {
            "model": {"family": self.family, **self.model.to_mapping()},
            "truth": self.truth.to_mapping(),
            "workflow": workflow,
            "run": self.run.to_mapping(),
            **({"sampling": self.sampling.to_mapping()} if self.sampling else {}),
        }

    @property
    def json(self) -> str:
        """Canonical JSON of `to_mapping()`, with sorted keys and no spaces: equal experiments have equal strings."""
        return json.dumps(self.to_mapping(), sort_keys=True, separators=(",", ":"), allow_nan=False)

    @property
    def digest(self) -> str:
        """SHA-256 of `json` in hexadecimal. It does not depend on key order, comments or written defaults."""
        return hashlib.sha256(self.json.encode()).hexdigest()

    def with_values(self, values: Mapping[str, Any]) -> "Experiment":
        """Return the experiment with new values by dotted key.

        A new workflow removes keys that only the old one has, and a new kind of truth replaces the old one.

        Raises
        ------
        InputError
            See `from_mapping`.

        Examples
        --------
        >>> recipe = Experiment.from_mapping({
        ...     "truth": {"uniform": 10},
        ...     "workflow": {"name": "accumulate", "n_samples": 9, "keep_real": True},
        ...     "run": {"n_generations": 5, "n_replicates": 1}})
        >>> recipe.with_values({"workflow.name": "replace", "run.seed": 3}).to_mapping()["workflow"]
        {'name': 'replace', 'n_samples': 9}
        """
        mapping = apply_overrides(self.to_mapping(), check_mapping("values", values))
        changed = self.from_mapping(mapping, base=self.base, text=self.text)
        old, new = flat(self.to_mapping()), flat(changed.to_mapping())
        kept = {key: file for key, file in self.number_files.items() if old.get(key) == new.get(key)}
        return dataclasses.replace(
            changed,
            recipe=self.recipe,
            number_files={**kept, **changed.number_files},
            is_recorded=self.is_recorded,
        )

    def with_code(self, code: Callable[..., Any] | str | None = None) -> "Experiment":
        """Return the experiment with the code of the user that its family needs, given or imported by its name.

        Raises
        ------
        InputError
            The family takes no code; or it is not given, and cannot or must not be imported.
        """
        offered = family_class(self.family)
        return dataclasses.replace(self, model=offered.with_code(self.model, code, not self.is_recorded, self.base))

    def cases(self) -> "list[Experiment]":
        """Return the experiment of each case of the recipe; without cases, this experiment alone.

        Case k = 0, 1, ... has the seed of the recipe plus k, so that cases are independent. A case may set its own.

        Raises
        ------
        InputError
            See `with_values`.
        """
        if self.recipe is None or self.recipe.cases is None:
            return [self]
        first = self.resolve_seed()
        seeds = [{"run.seed": ((first.run.seed or 0) + k) % 2**64} for k in range(len(self.recipe.cases))]
        return [first.with_values({**seed, **case}) for seed, case in zip(seeds, self.recipe.cases, strict=True)]

    def resolve_seed(self) -> "Experiment":
        """Return the experiment with its own seed, or with one that is drawn from the system.

        A drawn seed has 63 bits, so that every TOML reader accepts it.
        """
        if self.run.seed is not None:
            return self
        seed = int.from_bytes(os.urandom(8), "little") >> 1
        return dataclasses.replace(self, run=dataclasses.replace(self.run, seed=seed))
