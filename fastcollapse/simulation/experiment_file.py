"""Experiment files and settings: read TOML, parse KEY=VALUE, override values by dotted key."""

import dataclasses
import os
import re
import tomllib
from collections.abc import Iterable, Mapping
from typing import Any

from fastcollapse.config.arguments import check_path
from fastcollapse.config.fields import show
from fastcollapse.config.nested_text import no_collection
from fastcollapse.config.toml_text import parse_toml
from fastcollapse.config.workflows import WORKFLOWS
from fastcollapse.errors import InputError
from fastcollapse.models.registry import DEFAULT_FAMILY, families
from fastcollapse.models.registry import family as family_class
from fastcollapse.simulation.key_hints import key_hint

MAX_FILE_BYTES = 2**26


def read_toml(path: str | os.PathLike[str]) -> tuple[dict[str, Any], str]:
    """Return the content of an experiment file as a mapping, and its text.

    Raises
    ------
    InputError
        The file cannot be read, or is not TOML in UTF-8.
    """
    # In full: the end of a path says which file it is.
    name = repr(os.fspath(check_path("path of an experiment file", path)))
    try:
        with open(path, "rb") as file:
            raw = file.read(MAX_FILE_BYTES + 1)  # a bound, because a device may be infinite
    except FileNotFoundError:
        raise InputError(f"experiment file {name} does not exist") from None
    except IsADirectoryError:
        raise InputError(f"experiment file {name} must be a file, got a directory") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"experiment file {name} cannot be read: {reason}") from None
    if len(raw) > MAX_FILE_BYTES:
        raise InputError(f"experiment file {name} must be at most {MAX_FILE_BYTES // 2**20} MiB")
    try:
        return parse_toml(raw)
    except InputError as error:
        raise InputError(f"experiment file {name} {error}") from None


def parse_setting(setting: str) -> tuple[str, Any]:
    """Return key and value of a setting such as "run.seed=3". The value is TOML; a bare word is a string.

    Raises
    ------
    InputError
        The setting has no "=", or a quoted string, list or table is not valid TOML.

    Examples
    --------
    >>> parse_setting("run.seed=3"), parse_setting("truth.text=data/corpus.txt")
    (('run.seed', 3), ('truth.text', 'data/corpus.txt'))
    """
    key, equals, value = setting.partition("=")
    key, value = key.strip(), value.strip()
    if not equals or not key or not value:
        raise InputError(f"a setting must be key=value such as run.seed=3, got {show(setting)}")
    try:
        with no_collection():
            parsed = tomllib.loads(f"value = {value}")
        if list(parsed) == ["value"] and not re.search(r"[\r\n]", value):
            return key, parsed["value"]
    except (ValueError, RecursionError):
        pass
    if value[0] in "\"'[{":
        raise InputError(f"{key} must be a TOML value, got {show(value)}")
    return key, value


def parse_settings(settings: Iterable[str], seed: str | None = None) -> dict[str, Any]:
    """Return the values of settings such as "run.seed=3" by key.

    Parameters
    ----------
    settings : texts that `parse_setting` reads.
    seed : text of the value of run.seed; None sets no seed.

    Raises
    ------
    InputError
        As `parse_setting`.

    Examples
    --------
    >>> parse_settings(["run.n_replicates=10"], seed="3")
    {'run.n_replicates': 10, 'run.seed': 3}
    """
    values = dict(parse_setting(setting) for setting in settings)
    if seed is not None:
        values["run.seed"] = parse_setting(f"run.seed={seed}")[1] if seed else seed
    return values


def apply_overrides(mapping: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the sections of an experiment with new values by dotted key; see `Experiment.with_values`.

    Raises
    ------
    InputError
        A key has no section.

    Examples
    --------
    >>> apply_overrides({"truth": {"uniform": 10}}, {"truth.zipf_mandelbrot.size": 5, "run.seed": 3})
    {'truth': {'zipf_mandelbrot': {'size': 5}}, 'run': {'seed': 3}}
    """
    changed: dict[str, Any] = {n: dict(table) if isinstance(table, Mapping) else table for n, table in mapping.items()}
    tables = {name: table for name, table in changed.items() if isinstance(table, dict)}
    keys = [key.split(".") for key in values]
    sources = {parts[1] for parts in keys if parts[0] == "truth" and len(parts) > 1}
    old_family = tables.get("model", {}).get("family", DEFAULT_FAMILY)
    family = values.get("model.family", old_family)
    if family != old_family:
        changed["model"], changed["truth"] = {}, {}
    elif sources and "truth" in tables and family in families():
        alternatives = family_class(family).TRUTH.alternatives
        chosen = sources & alternatives.keys()
        replaced = {name for key in alternatives if chosen and key not in chosen for name in (key, *alternatives[key])}
        others = replaced - sources
        changed["truth"] = {name: value for name, value in tables["truth"].items() if name not in others}
    cls = WORKFLOWS.get(values["workflow.name"]) if isinstance(values.get("workflow.name"), str) else None
    if cls and "workflow" in tables:
        # A key that no workflow has stays: it is refused later.
        others = {f.name for workflow in WORKFLOWS.values() for f in dataclasses.fields(workflow)}
        others -= {f.name for f in dataclasses.fields(cls)}
        changed["workflow"] = {name: value for name, value in tables["workflow"].items() if name not in others}
    for key, parts in zip(values, keys, strict=True):
        if len(parts) < 2 or not all(parts):
            workflow = values.get("workflow.name", tables.get("workflow", {}).get("name"))
            hint = key_hint(key, family, workflow)
            raise InputError(f"{show(key)} must be a section and a key such as run.seed{hint}")
        if not isinstance(changed.get(parts[0], {}), Mapping):
            continue  # a section that is no table is refused later
        table = changed
        for part in parts[:-1]:
            table[part] = dict(table[part]) if isinstance(table.get(part), Mapping) else {}
            table = table[part]
        table[parts[-1]] = values[key]
    return changed
