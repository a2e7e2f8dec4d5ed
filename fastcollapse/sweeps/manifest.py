"""What a folder says that it is the sweep of, and whether a sweep can have it."""

import json
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fastcollapse.config.fields import show
from fastcollapse.errors import InputError, StoreError
from fastcollapse.storage.atomic_write import publish
from fastcollapse.sweeps.points import Sweep

FORMAT = "fastcollapse-sweep"
FORMAT_VERSION = 1
MANIFEST = "sweep.json"
# In this order: what comes before the version is in all versions.
_TYPES: dict[str, Any] = {
    "format": str,
    "format_version": int,
    "digest": str,
    "seed": int,
    "mapping": dict,
    "base": str | None,
    "text": str,
}
POINTS, PACKS, FAILED, CLAIMS = FOLDERS = ("points", "packs", "failed", "claims")


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write a small file by way of a temporary one; one that exists is replaced.

    Raises
    ------
    StoreError
        It cannot be written.
    """
    temporary = path.with_name(f".{path.name}-{secrets.token_hex(6)}.tmp")
    try:
        temporary.write_text(json.dumps(content, indent=1, default=_plain) + "\n", encoding="utf-8")
        os.replace(temporary, path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise StoreError(f"{path}: cannot be written: {error.strerror}") from error


def _plain(value: Any) -> Any:
    return value.tolist() if hasattr(value, "tolist") else list(value)


def read_manifest(path: Path) -> dict[str, Any]:
    """Return what a folder says that it holds.

    Raises
    ------
    InputError
        It is not the folder of a sweep, or of a newer format, or damaged.
    """
    file = path / MANIFEST
    try:
        manifest = json.loads(file.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        raise InputError(f"{path} must be the folder of a sweep, got one without {MANIFEST}") from None
    except OSError as error:
        raise InputError(f"{file}: cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise InputError(f"{file}: is damaged: it is not JSON") from error
    for key, types in _TYPES.items():
        if not isinstance(manifest, dict) or key not in manifest:
            raise InputError(f"{file}: is damaged: {key} is missing")
        if not isinstance(manifest[key], types) or isinstance(manifest[key], bool):
            raise InputError(f"{file}: is damaged: {key} must not be {show(manifest[key])}")
        if key == "format" and manifest[key] != FORMAT:
            raise InputError(f"{path} must be the folder of a sweep, got one whose {MANIFEST} is something else")
        if key == "format_version" and manifest[key] > FORMAT_VERSION:
            raise InputError(
                f"{path} has format version {manifest[key]}, this fastcollapse reads up to {FORMAT_VERSION}"
            )
    return manifest


def sweep_of(path: Path, manifest: Mapping[str, Any]) -> Sweep:
    """Return the sweep that a folder says that it holds.

    Raises
    ------
    InputError
        There is none like that.
    """
    base = manifest["base"]
    try:
        sweep = Sweep(manifest["mapping"], None if base is None else Path(base), manifest["text"], checked=True)
        return sweep.resolve_seed(manifest["seed"])
    except InputError as error:
        raise InputError(f"{path / MANIFEST}: is damaged, or of another fastcollapse: {error}") from error


def check_folder(path: Path, sweep: Sweep) -> None:
    """Refuse a folder that a sweep cannot have; touches nothing.

    Raises
    ------
    InputError
        It holds another sweep or something else, or cannot be written.
    """
    if os.path.lexists(path / MANIFEST):
        manifest = read_manifest(path)
        if manifest["digest"] != sweep.digest:
            raise InputError(
                f"output must be a new folder or that of this sweep, got {path}: {_differs(manifest, sweep)}"
            )
        return
    if os.path.lexists(path) and not path.is_dir():
        raise InputError(f"output must be a folder, got {path}: it exists and is none")
    strange = sorted(set(os.listdir(path) if path.is_dir() else ()) - set(FOLDERS))
    if strange:
        raise InputError(f"output must be a new folder or that of this sweep, got {path}: it holds {strange[0]}")
    above = next(parent for parent in (path, *path.absolute().parents) if os.path.lexists(parent))
    if not above.is_dir() or not os.access(above, os.W_OK | os.X_OK):
        raise InputError(f"output must be in a folder that can be written, got {path}: {above} is not one")


def _differs(manifest: Mapping[str, Any], sweep: Sweep) -> str:
    """Return the first thing that tells the sweep of a folder from another."""
    old, new = (
        _leaves({k: v for k, v in one.items() if k != "recipe"}) for one in (manifest["mapping"], sweep.mapping)
    )
    for key in dict.fromkeys((*old, *new)):
        if old.get(key) != new.get(key):
            there, here = (show(one[key]) if key in one else "absent" for one in (old, new))
            return f"{key} is {there} there, {here} here"
    return "it holds another one"


def _leaves(table: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in table.items():
        inner = isinstance(value, Mapping)
        found |= _leaves(value, f"{prefix}{key}.") if inner else {f"{prefix}{key}": json.loads(_json(value))}
    return found


def _json(value: Any) -> str:
    return json.dumps(value, default=_plain)


def write_manifest(path: Path, sweep: Sweep) -> None:
    """Make the folder of a sweep, or what is not there of it: copies leave out empty folders.

    Raises
    ------
    InputError
        See `check_folder`.
    StoreError
        It cannot be written.
    """
    check_folder(path, sweep)
    try:
        for name in FOLDERS:
            (path / name).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"output must be in a folder that can be written, got {path}: {error.strerror}") from error
    if not os.path.lexists(path / MANIFEST):
        seeded = sweep.resolve_seed()
        manifest = {
            "format": FORMAT,
            "format_version": FORMAT_VERSION,
            "digest": sweep.digest,
            "n_points": len(sweep),
            "seed": seeded.seed,
            "mapping": sweep.mapping,
            "base": None if sweep.base is None else str(sweep.base),
            "text": sweep.text,
        }
        temporary = path / CLAIMS / f"{MANIFEST}-{secrets.token_hex(6)}"
        write_json(temporary, manifest)
        try:
            publish(temporary, path / MANIFEST)
        except StoreError:
            if not os.path.lexists(path / MANIFEST):
                raise
            temporary.unlink(missing_ok=True)  # another shard was first: its seed counts, if one had to be drawn
            check_folder(path, sweep)
