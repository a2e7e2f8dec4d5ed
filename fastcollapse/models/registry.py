"""Registry of model families: folders of `models/`, those of installed packages, and those that a user registers.

An installed package offers a family by an entry point of the group `fastcollapse.families`: its name is that of the
family, and its value is the dotted name of a package with a module `model`. All processes know such a family.
"""

import functools
import importlib
import importlib.metadata
import sys
from collections.abc import Mapping
from contextlib import suppress
from importlib.machinery import ModuleSpec
from importlib.util import module_from_spec
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from fastcollapse.config.capabilities import CAPABILITIES
from fastcollapse.config.section_base import check_fields
from fastcollapse.errors import InputError, nearest

if TYPE_CHECKING:
    from fastcollapse.models.base import Model

# The family of an experiment without `model.family`.
DEFAULT_FAMILY = "discrete"
# Group of the entry points of installed families.
ENTRY_POINTS = "fastcollapse.families"
_registered: dict[str, Path] = {}


@functools.cache
def _shipped() -> tuple[str, ...]:
    return tuple(sorted(path.parent.name for path in Path(__file__).parent.glob("*/model.py")))


@functools.cache
def _installed() -> "dict[str, importlib.metadata.EntryPoint]":
    """Return the entry points of installed packages by the name of the family; a name of this package is not replaced.

    Of two packages that offer a name, the first on the path is taken.
    """
    own = {path.stem for path in Path(__file__).parent.iterdir()}
    found: dict[str, importlib.metadata.EntryPoint] = {}
    for point in importlib.metadata.entry_points(group=ENTRY_POINTS):
        if point.name not in own and point.name.isidentifier():
            found.setdefault(point.name, point)
    return dict(sorted(found.items()))


def families() -> list[str]:
    """Return the names of the model families without importing any.

    Examples
    --------
    >>> "discrete" in families()
    True
    """
    return [*_shipped(), *_installed(), *sorted(_registered)]


def importable_families() -> list[str]:
    """Return the names of the families without those of installed packages that cannot be imported."""
    found = []
    for name in families():
        with suppress(InputError):
            family(name)
            found.append(name)
    return found


def family_package(name: str) -> ModuleType:
    """Return the package of a family.

    Raises
    ------
    InputError
        The installed package that offers it has an error.
    """
    if name not in _installed():
        return importlib.import_module(f"fastcollapse.models.{name}")
    _load_installed(name)
    package: ModuleType = _installed()[name].load()
    return package


def family(name: str) -> "type[Model]":
    """Return the class of a model family.

    Raises
    ------
    InputError
        No family has this name, or the installed package that offers it has an error.
    """
    if name not in families():
        choices = ", ".join(families())
        hint = nearest(name, families()) or "; fastcollapse.models.register(folder) adds one"
        raise InputError(f"model.family must be one of {choices}, got {name!r}{hint}")
    if name in _installed():
        return _load_installed(name)
    return importlib.import_module(f"fastcollapse.models.{name}.model").MODEL


@functools.cache
def _load_installed(name: str) -> "type[Model]":
    """Return the class of a family that an installed package offers.

    Raises
    ------
    InputError
        It cannot be imported, or is no model; the message names the entry point.
    """
    point = _installed()[name]
    where = f"family {name} of the entry point {point.value!r} ({ENTRY_POINTS})"
    try:
        model = importlib.metadata.EntryPoint(name, f"{point.value}.model:MODEL", ENTRY_POINTS).load()
    except Exception as error:  # the module may raise anything
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        raise InputError(f"{where} cannot be imported: {reason}") from error
    _check_model(name, model)
    return model


def register(path: str | Path) -> str:
    """Add a model family from a folder and return its name, which is the name of the folder.

    The folder has a `model.py` with `MODEL`, a class that extends `fastcollapse.models.base.Model`. Its files import
    each other as `fastcollapse.models.<name>.<file>`. The registration is valid for this process only.

    Raises
    ------
    InputError
        The folder has no `model.py`, its name is in use or is not an identifier, or `MODEL` is not a model class.
    """
    folder = Path(path).resolve()
    name = folder.name
    if not (folder / "model.py").is_file():
        raise InputError(f"a model family must be a folder with a file model.py, got {str(path)!r}")
    own = {path.stem for path in Path(__file__).parent.iterdir()}
    if not name.isidentifier() or name in own or name in _installed() or _registered.get(name, folder) != folder:
        raise InputError(f"the folder of a model family must have a new name that is an identifier, got {name!r}")
    full_name = f"fastcollapse.models.{name}"
    for loaded in [module for module in sys.modules if module == full_name or module.startswith(f"{full_name}.")]:
        del sys.modules[loaded]
    spec = ModuleSpec(full_name, None, is_package=True)
    spec.submodule_search_locations = [str(folder)]
    sys.modules[full_name] = module_from_spec(spec)
    _registered[name] = folder
    try:
        _check_model(name, vars(importlib.import_module(f"fastcollapse.models.{name}.model")).get("MODEL"))
    except BaseException:
        unregister(name)
        raise
    return name


def registered() -> list[str]:
    """Return the names of the families that this process has registered."""
    return sorted(_registered)


def unregister(name: str) -> None:
    """Remove a family that was added by `register`."""
    _registered.pop(name, None)
    sys.modules.pop(f"fastcollapse.models.{name}", None)


def _check_model(name: str, model: Any) -> None:
    """Check that a family defines `MODEL` with all required methods and attributes.

    Raises
    ------
    InputError
        The check fails; the message names the missing parts.
    """
    from fastcollapse.models.base import Model  # imported here: it loads NumPy, which slows down the command line

    if not (isinstance(model, type) and issubclass(model, Model)):
        raise InputError(f"model.py of family {name} must have MODEL, a class that extends Model, got {model!r}")
    abstract = sorted(model.__abstractmethods__)
    if "create" in vars(model):  # `create` returns models of other classes
        abstract = []
    missing = [attribute for attribute in ("TRUTH", "METRICS") if attribute not in dir(model)]
    if abstract or missing:
        raise InputError(f"MODEL of family {name} must define {', '.join([*abstract, *missing])}")
    if not isinstance(model.METRICS, Mapping) or any(key != metric.name for key, metric in model.METRICS.items()):
        raise InputError(f"METRICS of family {name} must be made by fastcollapse.variables.metric_table")
    for capability in sorted(model.CAPABILITIES - set(CAPABILITIES)):
        hint = nearest(capability, CAPABILITIES)
        raise InputError(
            f"CAPABILITIES of family {name} must be of {', '.join(CAPABILITIES)}, got {capability!r}{hint}"
        )
    for section in (model.PARAMETERS, model.TRUTH):
        check_fields(section)
