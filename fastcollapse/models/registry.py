"""Registry of model families: folders of `models/` with a `model.py`, and folders that a user registers."""

import functools
import importlib
import sys
from collections.abc import Mapping
from importlib.machinery import ModuleSpec
from importlib.util import module_from_spec
from pathlib import Path
from typing import TYPE_CHECKING

from fastcollapse.config.capabilities import CAPABILITIES
from fastcollapse.config.section_base import check_fields
from fastcollapse.errors import InputError, nearest

if TYPE_CHECKING:
    from fastcollapse.models.base import Model

# The family of an experiment without `model.family`.
DEFAULT_FAMILY = "discrete"
_registered: dict[str, Path] = {}


@functools.cache
def _shipped() -> tuple[str, ...]:
    return tuple(sorted(path.parent.name for path in Path(__file__).parent.glob("*/model.py")))


def families() -> list[str]:
    """Return the names of the model families without importing any.

    Examples
    --------
    >>> "discrete" in families()
    True
    """
    return [*_shipped(), *sorted(_registered)]


def family(name: str) -> "type[Model]":
    """Return the class of a model family.

    Raises
    ------
    InputError
        No family has this name.
    """
    if name not in families():
        choices = ", ".join(families())
        hint = nearest(name, families()) or "; fastcollapse.models.register(folder) adds one"
        raise InputError(f"model.family must be one of {choices}, got {name!r}{hint}")
    return importlib.import_module(f"fastcollapse.models.{name}.model").MODEL


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
    if not name.isidentifier() or name in own or _registered.get(name, folder) != folder:
        raise InputError(f"the folder of a model family must have a new name that is an identifier, got {name!r}")
    full_name = f"fastcollapse.models.{name}"
    for loaded in [module for module in sys.modules if module == full_name or module.startswith(f"{full_name}.")]:
        del sys.modules[loaded]
    spec = ModuleSpec(full_name, None, is_package=True)
    spec.submodule_search_locations = [str(folder)]
    sys.modules[full_name] = module_from_spec(spec)
    _registered[name] = folder
    try:
        _check_model(name)
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


def _check_model(name: str) -> None:
    """Check that a family defines `MODEL` with all required methods and attributes.

    Raises
    ------
    InputError
        The check fails; the message names the missing parts.
    """
    from fastcollapse.models.base import Model  # imported here: it loads NumPy, which slows down the command line

    module = importlib.import_module(f"fastcollapse.models.{name}.model")
    model = vars(module).get("MODEL")
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
