"""A value of a recipe or a sweep that a user may change, as an example."""

from typing import NamedTuple

from fastcollapse.config.dotted_keys import flat
from fastcollapse.datasets.recipe_files import find_shipped
from fastcollapse.errors import InputError
from fastcollapse.simulation.experiment_file import read_toml
from fastcollapse.simulation.load_experiment import load_experiment
from fastcollapse.sweeps.load import load_sweep

# Keys in the order in which they are tried; every experiment has the last one.
_KEYS = (
    *(
        "workflow.n_samples",
        "model.sigma",
        "model.bandwidth.start",
        "truth.dimension",
        "truth.sigma",
        "model.downstream.n_samples",
    ),
    *("workflow.n_real", "run.n_generations"),
)
# Half of the value in place of "truth", the size of a text of more tokens.
_OF_A_TEXT = 50_000
_LOADERS = {"recipe": load_experiment, "sweep": load_sweep}


class ChangedExample(NamedTuple):
    """A dotted key and its new value."""

    key: str
    value: float

    @property
    def setting(self) -> str:
        """The change as an argument of `--set`."""
        return f"{self.key}={self.value}"


def changed_example(name: str, kind: str) -> ChangedExample:
    """Return a key of a shipped recipe or sweep with twice its value, or another size than that of the text.

    The recipe accepts it.

    Parameters
    ----------
    kind : "recipe" or "sweep".

    Examples
    --------
    >>> changed_example("sur-gau", "recipe").setting
    'workflow.n_samples=20'
    """
    values = flat(read_toml(find_shipped(name, kind).path)[0])
    for key in _KEYS:
        value = values.get(key)
        if key == "workflow.n_samples" and value == "truth":
            value = _OF_A_TEXT
        if isinstance(value, int | float):
            change = ChangedExample(key, 2 * value)
            try:
                _LOADERS[kind](name, {key: change.value})
            except InputError:  # the cases or the axes set it, or another key forbids it
                continue
            return change
    raise InputError(f"{name} has no number that can be changed")
