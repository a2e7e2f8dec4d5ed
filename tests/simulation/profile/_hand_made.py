"""Runs whose metrics are written by hand, with the parts of `Results` that a profile reads."""

from types import SimpleNamespace

import numpy as np

from fastcollapse.config.section_base import build
from fastcollapse.config.thresholds import Thresholds
from fastcollapse.simulation.experiment import Experiment
from fastcollapse.simulation.profile.evaluate import profile_of
from fastcollapse.variables import Variable

TRUTHS = {
    "discrete": {"probabilities": [0.5, 0.3, 0.2]},
    "gaussian": {"dimension": 1},
    "mixture": {"mu": 2.0, "sigma": 1.0},
    "poisson": {"rate": 4.0},
    "ridge": {"dimension": 4},
}
MODELS = {
    "gaussian": {"estimator": "unbiased"},
    "mixture": {"estimator": "joint_ml"},
    "ridge": {"designs": "independent", "sigma": 0.5},
}


def hand_made(family, metrics, workflow=None, engine="", forgotten=None, coordinates=None, dims=(), model=None):
    """Return a run with metrics, name -> array (R, T+1, ...); `dims` are those of all metrics."""
    metrics = {name: np.asarray(values, float) for name, values in metrics.items()}
    n_replicates, n_columns = next(iter(metrics.values())).shape[:2]
    experiment = Experiment.from_mapping(
        {
            "model": {"family": family, **MODELS.get(family, {}), **(model or {})},
            "truth": TRUTHS[family],
            "workflow": workflow or {"name": "mix", "n_samples": 10, "n_real": 10, "real": "fresh"},
            "run": {"n_generations": max(n_columns - 1, 1), "n_replicates": n_replicates, "seed": 1},
        }
    )
    return SimpleNamespace(
        path=None,
        metrics=metrics,
        variables={name: Variable(name, dims=dims) for name in metrics},
        coordinates={name: SimpleNamespace(values=np.asarray(v)) for name, v in (coordinates or {}).items()},
        last=n_columns - 1,
        n_replicates=n_replicates,
        experiment=experiment,
        engine=engine,
        forgotten=forgotten,
        truth=SimpleNamespace(probabilities=np.array([0.5, 0.3, 0.2])),
    )


def profile(run, **keys):
    """Return the findings of a run by key."""
    return {finding.key: finding for finding in profile_of(run, build(Thresholds, keys))}
