"""Sweep manifest: identifies the sweep stored in a folder and checks compatibility."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fastcollapse.config.dotted_keys import flat, overlap
from fastcollapse.config.fields import show
from fastcollapse.config.output_paths import check_output_folder
from fastcollapse.datasets.data_files import changed_files, hash_files
from fastcollapse.errors import InputError, StoreError
from fastcollapse.simulation.number_files import NumberFiles
from fastcollapse.storage.atomic_write import Rename, write_bytes
from fastcollapse.storage.attributes import Check, anything, check_attributes, optional, sha256, table, text, whole
from fastcollapse.storage.json_text import parse_json
from fastcollapse.storage.regular_file import read_regular
from fastcollapse.sweeps.points import Sweep
from fastcollapse.sweeps.truth_cache import cached_truth

FORMAT = "fastcollapse-sweep"
FORMAT_VERSION = 1
MANIFEST = "sweep.json"
_KEYS: dict[str, Check] = {
    "digest": sha256,
    "seed": whole(0, 2**64),
    "mapping": table(anything),
    "base": optional(text),
    "text": text,
}
_OPTIONAL: dict[str, Check] = {"n_points": whole(1), "inputs": table(sha256), "numbers": table(lambda value: value)}
# Four times the largest experiment file: the manifest has it as text and as JSON with indentation.
MAX_MANIFEST_BYTES = 256 << 20
POINTS, PACKS, FAILED, CLAIMS = FOLDERS = ("points", "packs", "failed", "claims")


def write_json(path: Path, content: Mapping[str, Any], rename: Rename) -> None:
    """Write a small JSON file atomically.

    Raises
    ------
    StoreError
        The file cannot be written.
    """
    write_bytes(path, (json.dumps(content, indent=1, default=_plain) + "\n").encode(), rename)


def _plain(value: Any) -> Any:
    return value.tolist() if hasattr(value, "tolist") else list(value)


def read_manifest(path: Path) -> dict[str, Any]:
    """Return the manifest of a folder.

    Raises
    ------
    InputError
        The folder is not that of a sweep, or its manifest has a newer format or is damaged.
    """
    file = path / MANIFEST
    try:
        manifest = parse_json(read_regular(file, MAX_MANIFEST_BYTES))
    except (FileNotFoundError, NotADirectoryError):
        got = f"one without {MANIFEST}" if path.is_dir() else "a file" if os.path.lexists(path) else "no such folder"
        raise InputError(f"{path} must be the folder of a sweep, got {got}") from None
    except OSError as error:
        raise InputError(f"{file}: cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise InputError(f"{file}: is damaged: it {error}") from error
    return checked_manifest(file, manifest)


def checked_manifest(file: Path, manifest: Any) -> dict[str, Any]:
    """Return a manifest after a check of its types; one of version 0.1 has no `inputs`.

    Parameters
    ----------
    file : file that has the manifest, for errors.

    Raises
    ------
    InputError
        A key is missing or has another type, or the format is newer.
    """
    given = manifest if isinstance(manifest, dict) else {}
    try:
        # One after the other: another version may have other keys.
        if check_attributes(given, {"format": text})["format"] != FORMAT:
            raise InputError(
                f"{file.parent} must be the folder of a sweep, got one whose {file.name} is something else"
            )
        version = check_attributes(given, {"format_version": whole(1)})["format_version"]
        if version > FORMAT_VERSION:
            raise InputError(
                f"{file.parent} has format version {version}, this fastcollapse reads up to {FORMAT_VERSION}"
            )
        return {**given, **check_attributes(given, _KEYS, _OPTIONAL)}
    except InputError:
        raise
    except KeyError as error:
        raise InputError(f"{file}: is damaged: {error.args[0]} is missing") from None
    except ValueError as error:
        raise InputError(f"{file}: {error}") from None


def sweep_of(file: Path, manifest: Mapping[str, Any]) -> Sweep:
    """Return the sweep that a manifest describes.

    Parameters
    ----------
    file : file that has the manifest, for errors.

    Raises
    ------
    InputError
        The sweep is not valid.
    """
    base = manifest["base"]
    try:
        # The numbers of files are recorded, so that a copy of the folder needs no file, and a foreign one reads none.
        numbers = NumberFiles.recorded(manifest.get("numbers", {}), manifest.get("inputs", {}))
        sweep = Sweep(manifest["mapping"], None if base is None else Path(base), manifest["text"], True, numbers)
        if manifest.get("n_points", len(sweep)) != len(sweep):
            raise InputError(f"n_points is {manifest['n_points']:,}, its mapping has {len(sweep):,}")
        return sweep.resolve_seed(manifest["seed"])
    except InputError as error:
        raise InputError(f"{file}: is damaged, or of another fastcollapse: {error}") from error


def check_folder(path: Path, sweep: Sweep) -> None:
    """Check that a folder is that of a sweep, or can become it; nothing is written.

    Raises
    ------
    InputError
        The folder holds another sweep or something else, or cannot be written, or no point of a new sweep can load its
        data, or a data file has changed.
    """
    try:
        is_new = _check_path(path, sweep)
    except OSError as error:  # for example, the name is too long
        raise InputError(f"output must be a folder that can be made, got {show(str(path))}: {error.strerror}") from None
    varied = [key for axis in sweep.axes for key in axis.varies]
    if is_new and not any(key == "model.family" or overlap(key, "truth") for key in varied):
        cached_truth(sweep[0].experiment)


def _check_path(path: Path, sweep: Sweep) -> bool:
    """Check the content of a folder; return whether it is new."""
    if os.path.lexists(path / MANIFEST):
        manifest = read_manifest(path)
        changed = changed_files(manifest.get("inputs", {}), sweep.numbers.hashes)
        if manifest["digest"] != sweep.digest and not changed:
            raise InputError(
                f"output must be a new folder or that of this sweep, got {path}: {_differs(manifest, sweep)}"
            )
        base, inputs = manifest["base"], manifest.get("inputs", {})
        changed = changed or changed_files(inputs, hash_files(inputs, None if base is None else Path(base)))
        if changed:
            raise InputError(f"output must be a folder of the same data, got {path}: {'; '.join(changed)}")
        return False
    if os.path.lexists(path) and not path.is_dir():
        raise InputError(f"output must be a folder, got {path}: it is a file")
    foreign = sorted(set(os.listdir(path) if path.is_dir() else ()) - set(FOLDERS))
    if foreign:
        raise InputError(f"output must be a new folder or that of this sweep, got {path}: it holds {foreign[0]}")
    check_output_folder(path)
    return True


def _differs(manifest: Mapping[str, Any], sweep: Sweep) -> str:
    """Return the first difference between the sweep of a folder and another sweep."""
    old, new = (
        flat(json.loads(json.dumps({k: v for k, v in mapping.items() if k != "recipe"}, default=_plain)))
        for mapping in (manifest["mapping"], sweep.mapping)
    )
    for key in dict.fromkeys((*old, *new)):
        if old.get(key) != new.get(key):
            there, here = (show(values[key]) if key in values else "absent" for values in (old, new))
            return f"{key} is {there} there, {here} here"
    return "it holds another sweep"


def write_manifest(path: Path, sweep: Sweep) -> None:
    """Check the folder of a sweep and make it; of an existing one, make missing subfolders, which copies leave out.

    Raises
    ------
    InputError
        See `check_folder`.
    StoreError
        The folder cannot be written.
    """
    check_folder(path, sweep)
    try:
        for name in FOLDERS:
            (path / name).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"output must be in a folder that can be written, got {path}: {error.strerror}") from error
    if not os.path.lexists(path / MANIFEST):
        seeded, paths = sweep.resolve_seed(), sweep.data_files()
        manifest = {
            "format": FORMAT,
            "format_version": FORMAT_VERSION,
            "digest": sweep.digest,
            "n_points": len(sweep),
            "seed": seeded.seed,
            "mapping": sweep.mapping,
            "base": None if sweep.base is None else str(sweep.base),
            "text": sweep.text,
            "inputs": hash_files(paths, sweep.base),
            **({"numbers": sweep.numbers.values} if sweep.numbers.values else {}),
        }
        try:
            write_json(path / MANIFEST, manifest, Rename(path / CLAIMS))
        except StoreError:
            if not os.path.lexists(path / MANIFEST):
                raise
            check_folder(path, sweep)  # another shard was first, and its drawn seed is used
