"""Naive twin of the kernel ridge family: draws rows, labels them, keeps every sample, and solves the full system.

This code is slow; `fastcollapse.models.kernel_ridge.model` must have exactly this law.
"""

import gzip
import struct

import numpy as np

from tests.naive import recursion

_NOISE = {"sigma": 0.5, "sigma0": 0.8}
_NUMBERS = {"images": "inputs.npy", "labels": "labels.csv", "n_test": 8}
_CLASSES = {"images": "inputs.idx.gz", "labels": "classes.idx", "n_test": 9, "target": "one_vs_rest"}
# Cases of the conformance test: 12 samples of at most 33 rows.
CASES = {
    "rbf": recursion.Case(
        _NUMBERS,
        {
            "kernel": "rbf",
            "scale": 0.5,
            "ridge": 0.05,
            "downstream": {"n_samples": [5, 15], "ridge": [0.01, 0.1, 1.0]},
            **_NOISE,
        },
        {**_NUMBERS, "labels": "other_labels.csv"},
    ),
    "classes": recursion.Case(
        _CLASSES,
        {
            "kernel": "polynomial",
            "degree": 2,
            "ridge": 0.02,
            "downstream": {"n_samples": 15, "exponent": 1.0, "generations": [1, 3]},
            **_NOISE,
        },
        {**_CLASSES, "labels": "other.npz:classes"},
        workflows=("replace", "accumulate"),
    ),
    "laplacian": recursion.Case(
        {**_NUMBERS, "scaling": "none"}, {"kernel": "laplacian", "ridge": 0.05, **_NOISE}, workflows=("replace",)
    ),
    "linear": recursion.Case(
        _NUMBERS, {"kernel": "linear", "precision": "float32", "ridge": 0.05, **_NOISE}, workflows=("mix",)
    ),
    "matern": recursion.Case(
        _NUMBERS, {"kernel": "matern", "nu": 2.5, "ridge": 0.05, **_NOISE}, workflows=("accumulate_subsample",)
    ),
    "fine-tuned": recursion.Case(
        _NUMBERS,
        {
            "kernel": "rbf",
            "scale": 0.5,
            "ridge": 0.05,
            "downstream": {"n_samples": 15, "ridge": 0.1, "start": "generation"},
            **_NOISE,
        },
        {**_NUMBERS, "labels": "other_labels.csv"},
        workflows=("replace",),
    ),
}
N_RAW = 800


def write_tables(folder):
    """Write 42 rows of 3 inputs with two kinds of labels into a folder, and other labels for a negative control."""
    rng = np.random.default_rng(3)
    inputs = rng.integers(0, 256, size=(42, 3))
    labels = np.sin(inputs[:, 0] / 40) + inputs[:, 1] / 100
    classes = (inputs[:, 0] > 100).astype(np.uint8) + (inputs[:, 1] > 150)
    np.save(folder / "inputs.npy", inputs.astype(np.float32))
    np.savetxt(folder / "labels.csv", labels, header="label", comments="")
    np.savetxt(folder / "other_labels.csv", labels[::-1] + 1)
    np.savez(folder / "other.npz", classes=classes[::-1], more=labels)
    (folder / "classes.idx").write_bytes(struct.pack(">4BI", 0, 0, 8, 1, 42) + classes.astype(np.uint8).tobytes())
    header = struct.pack(">4B3I", 0, 0, 8, 3, 42, 1, 3)
    (folder / "inputs.idx.gz").write_bytes(gzip.compress(header + inputs.astype(np.uint8).tobytes()))


def raw(truth, model, schedule, n_generations, rng):
    """Return columns of numbers of generations 0..T for one replicate, float64 (T + 1, 2 or 3): test error of the
    generator, its prediction at the last row that figures show, and the test error of the last predictor.
    """
    found = []
    for state in chain(truth, model, schedule, n_generations, rng):
        outputs = truth.test_targets if state is None else evaluate(truth, model, state, truth.test_rows)
        last = outputs[:, truth.shown()[-1]]
        row = [_error(truth, outputs), last[0] if truth.is_number else truth.levels[last.argmax()]]
        if model.downstream is not None:
            n, ridge = model.downstream.sizes()[-1], model.downstream.ridges()[-1, -1]
            row.append(_error(truth, predict(truth, model, state, outputs, n, ridge, rng)))
        found.append(row)
    return np.array(found)


def columns(results):
    """Return the same columns as `raw`, from simulated results, float64 (R, T + 1, 2 or 3)."""
    metrics = results.metrics
    found = [metrics["generator_error"], metrics["generator_shown"][..., -1]]
    if "test_error" in metrics:
        found.append(metrics["test_error"][:, :, -1, -1])
    return np.stack(found, axis=2)


def _error(truth, outputs):
    return ((outputs - truth.test_targets) ** 2).mean()


def kernel(truth, model, x, y):
    """Return k of all pairs of rows, float64 (n, m)."""
    x, y = x[:, None] / truth.unit, y[None] / truth.unit
    law = model.law(truth.rows, truth.unit)
    scale = law.scale / truth.unit
    gap, product = (x - y) / scale, (x * y).sum(axis=2) / scale**2
    r = np.sqrt((gap**2).sum(axis=2))
    if model.kernel == "rbf":
        return np.exp(-(r**2) / 2)
    if model.kernel == "laplacian":
        return np.exp(-np.abs(gap).sum(axis=2))
    if model.kernel == "linear":
        return product
    if model.kernel == "polynomial":
        return (product + law.offset) ** law.degree
    a = np.sqrt(2 * (model.nu or 1.5)) * r
    return {0.5: 1.0, 1.5: 1 + a, 2.5: 1 + a + a**2 / 3}[model.nu or 1.5] * np.exp(-a)


def evaluate(truth, model, state, x):
    """Return outputs at rows x, float64 (C, n); a state is rows and coefficients."""
    rows, coefficients = state
    return (kernel(truth, model, x, rows) @ coefficients).T


def sample(truth, model, state, n, sigma, rng):
    """Return n distinct rows of inputs and their labels, (n, d + C)."""
    chosen = rng.choice(len(truth.rows), n, replace=False)
    labels = truth.targets[:, chosen] if state is None else evaluate(truth, model, state, truth.rows[chosen])
    return np.column_stack([truth.rows[chosen], (labels + sigma * rng.standard_normal(labels.shape)).T])


def predict(truth, model, state, outputs, n, ridge, rng):
    """Return the predictor of a generation at the held-out rows, float64 (C, n), whose own values there are `outputs`:
    fitted to its labels, or fine-tuned on given labels.
    """
    if model.downstream.start != "generation":
        predictor = fit(truth, model, sample(truth, model, state, n, model.sigma, rng), ridge)
        return evaluate(truth, model, predictor, truth.test_rows)
    chosen = rng.choice(len(truth.rows), n, replace=False)
    x, given = truth.rows[chosen], truth.targets[:, chosen]
    start = given if state is None else evaluate(truth, model, state, x)
    residuals = given + model.sigma * rng.standard_normal(given.shape) - start
    change = fit(truth, model, np.column_stack([x, residuals.T]), ridge)
    return outputs + evaluate(truth, model, change, truth.test_rows)


def fit(truth, model, rows, ridge):
    """Return the function with the least (1/n) |y - f(x)|^2 + ridge |f|^2; repeated rows count repeatedly."""
    n, d = len(rows), truth.rows.shape[1]
    x, y = rows[:, :d], rows[:, d:]
    return x, np.linalg.solve(kernel(truth, model, x, x) + n * ridge * np.eye(n), y)


def chain(truth, model, schedule, n_generations, rng):
    """Return the functions of generations 0..T; generation 0 is None, which stands for the given labels."""

    def draw(state, n, rng):
        return sample(truth, model, state, n, model.synthetic_noise, rng)

    def draw_real(state, n, rng):
        return sample(truth, model, None, n, model.sigma, rng)

    def refit(rows):
        return fit(truth, model, rows, model.ridge)

    return recursion.states(None, draw, refit, schedule, n_generations, rng, draw_real=draw_real)
