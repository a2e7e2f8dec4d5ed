"""Names of runs that are drawn together: what differs between their experiments."""

from collections.abc import Sequence
from typing import Any

from fastcollapse.analysis.words import settings as in_words
from fastcollapse.config.dotted_keys import flat
from fastcollapse.simulation.recorded_run import RecordedRun

# The most keys that name a run; runs that differ in more are named by their files.
_MOST_KEYS = 3
# Keys that change no law, and what they are set to follows from others.
_NOT_NAMED = ("run.seed", "run.record", "run.n_replicates", "run.n_generations")


def run_names(runs: Sequence[RecordedRun]) -> list[str]:
    """Return a name of each run: the values that differ between them, or the name of its file."""
    settings = [_settings(results) for results in runs]
    keys = [key for key in dict.fromkeys(key for one in settings for key in one) if _differs(key, settings)]
    if 0 < len(keys) <= _MOST_KEYS:
        names = [in_words({key: one[key] for key in keys if key in one}) for one in settings]
        if len(set(names)) == len(names) and all(names):
            return names
    stems = ["" if results.path is None else results.path.stem for results in runs]
    return [stem if stem and stems.count(stem) == 1 else f"run {i}" for i, stem in enumerate(stems, 1)]


def _settings(results: RecordedRun) -> dict[str, Any]:
    values = flat({name: section for name, section in results.experiment.to_mapping().items() if name != "recipe"})
    return {key: value for key, value in values.items() if key not in _NOT_NAMED}


def _differs(key: str, settings: Sequence[dict[str, Any]]) -> bool:
    return any(one.get(key) != settings[0].get(key) for one in settings)
