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
    "from previous functions": recursion.Case(
        _NUMBERS,
        {
            "kernel": "rbf",
            "scale": 0.5,
            "ridge": 0.05,
            "start": "previous",
            "downstream": {"n_samples": 15, "ridge": 0.1, "start": "generation"},
            **_NOISE,
        },
        {**_NUMBERS, "labels": "other_labels.csv"},
        workflows=("replace", "mix"),
    ),
    "same rows": recursion.Case(
        _CLASSES,
        {
            "kernel": "matern",
            "ridge": 0.05,
            "designs": "dependent",
            "downstream": {"n_samples": 15, "ridge": 0.1},
            **_NOISE,
        },
        {**_CLASSES, "labels": "other.npz:classes"},
        workflows=("replace",),
    ),
    "mixed labels": recursion.Case(
        _NUMBERS,
        {
            "kernel": "rbf",
            "scale": 0.5,
            "designs": "dependent",
            "mixed_labels": {"weight": [0.2, 0.6], "ridge": [0.05, 0.3]},
            **_NOISE,
        },
        {**_NUMBERS, "labels": "other_labels.csv"},
        workflows=("replace",),
    ),
    "fixed real labels": recursion.Case(
        _NUMBERS,
        {
            "kernel": "laplacian",
            "designs": "dependent",
            "start": "previous",
            "real_labels": "fixed",
            "mixed_labels": {"weight": 0.5, "ridge": 0.1},
            **_NOISE,
        },
        {**_NUMBERS, "split_seed": 1},
        workflows=("replace",),
    ),
    "mixed labels of new rows": recursion.Case(
        _NUMBERS,
        {
            "kernel": "rbf",
            "scale": 0.5,
            "start": "previous",
            "mixed_labels": {"weight": [0.5, 0.9], "ridge": [0.05, 0.3]},
            **_NOISE,
        },
        {**_NUMBERS, "split_seed": 1},
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
    generator, its prediction at the last row that figures show, and the test error of the last predictor, or of the
    chain of the last weight and ridge on mixed labels.
    """
    found = []
    if model.mixed_labels is not None:
        weight, ridge = model.mixed_labels.weights()[-1], model.mixed_labels.ridges()[-1]
        beside = mixed_chain(truth, model, schedule, weight, ridge, n_generations, rng)
    for t, state in enumerate(chain(truth, model, schedule, n_generations, rng)):
        outputs = evaluate_held_out(truth, model, state)
        last = outputs[:, truth.shown()[-1]]
        row = [_error(truth, outputs), last[0] if truth.is_number else truth.levels[last.argmax()]]
        if model.downstream is not None:
            n, ridge = model.downstream.sizes()[-1], model.downstream.ridges()[-1, -1]
            row.append(_error(truth, predict(truth, model, state, outputs, n, ridge, rng)))
        if model.mixed_labels is not None:
            row.append(_error(truth, evaluate_held_out(truth, model, beside[t])))
        found.append(row)
    return np.array(found)


def columns(results):
    """Return the same columns as `raw`, from simulated results, float64 (R, T + 1, 2 or 3)."""
    metrics = results.metrics
    found = [metrics["generator_error"], metrics["generator_shown"][..., -1]]
    if "test_error" in metrics:
        found.append(metrics["test_error"][:, :, -1, -1])
    if "mixed_error" in metrics:
        found.append(metrics["mixed_error"][:, :, -1, -1])
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
    """Return sums of kernels at rows x, float64 (C, n); a state is rows and coefficients."""
    rows, coefficients = state
    return (kernel(truth, model, x, rows) @ coefficients).T


def evaluate_held_out(truth, model, state):
    """Return the function of a generation at the held-out rows; None is the given labels."""
    return evaluate_at(truth, model, state, truth.test_rows, truth.test_targets)


def evaluate_at(truth, model, state, x, given):
    """Return the function of a generation at rows x with the given labels (C, n): a fit, or a sum to these labels."""
    if state is None:
        return given
    return evaluate(truth, model, state, x) + (given if model.start == "previous" else 0)


def sample(truth, model, state, n, sigma, rng, chosen=None):
    """Return n distinct rows of inputs, their numbers and their labels, (n, d + 1 + C)."""
    chosen = rng.choice(len(truth.rows), n, replace=False) if chosen is None else chosen
    labels = evaluate_at(truth, model, state, truth.rows[chosen], truth.targets[:, chosen])
    return np.column_stack([truth.rows[chosen], chosen, (labels + sigma * rng.standard_normal(labels.shape)).T])


def predict(truth, model, state, outputs, n, ridge, rng):
    """Return the predictor of a generation at the held-out rows, float64 (C, n), whose own values there are `outputs`:
    fitted to its labels, or fine-tuned on given labels.
    """
    if model.downstream.start != "generation":
        predictor = fit(truth, model, sample(truth, model, state, n, model.sigma, rng), ridge)
        return evaluate(truth, model, predictor, truth.test_rows)
    chosen = rng.choice(len(truth.rows), n, replace=False)
    x, given = truth.rows[chosen], truth.targets[:, chosen]
    residuals = given + model.sigma * rng.standard_normal(given.shape) - evaluate_at(truth, model, state, x, given)
    change = fit(truth, model, np.column_stack([x, chosen, residuals.T]), ridge)
    return outputs + evaluate(truth, model, change, truth.test_rows)


def fit(truth, model, rows, ridge):
    """Return the function with the least (1/n) |y - f(x)|^2 + ridge |f|^2; repeated rows count repeatedly."""
    n, d = len(rows), truth.rows.shape[1]
    x, y = rows[:, :d], rows[:, d + 1 :]
    return x, np.linalg.solve(kernel(truth, model, x, x) + n * ridge * np.eye(n), y)


def refit(truth, model, state, rows, ridge):
    """Return the function of the next generation: the fit to rows, or the sum with the fit of what is lacking."""
    if model.start != "previous":
        return fit(truth, model, rows, ridge)
    d = truth.rows.shape[1]
    lacking, numbers = rows.copy(), rows[:, d].astype(int)
    lacking[:, d + 1 :] -= evaluate_at(truth, model, state, rows[:, :d], truth.targets[:, numbers]).T
    change = fit(truth, model, lacking, ridge)
    return change if state is None else tuple(np.concatenate(pair) for pair in zip(state, change, strict=True))


def chain(truth, model, schedule, n_generations, rng):
    """Return the functions of generations 0..T; generation 0 is None, which stands for the given labels."""
    same, last = _same_rows(truth, model, schedule, rng), [None]

    def draw(state, n, rng):
        last[0] = state
        return sample(truth, model, state, n, model.synthetic_noise, rng, same)

    def draw_real(state, n, rng):
        return sample(truth, model, None, n, model.sigma, rng)

    def next_function(rows):
        return refit(truth, model, last[0], rows, model.ridge)

    return recursion.states(None, draw, next_function, schedule, n_generations, rng, draw_real=draw_real)


def _same_rows(truth, model, schedule, rng):
    """Return the numbers of the rows of all generations, or None if each has its own."""
    if model.designs != "dependent":
        return None
    return rng.choice(len(truth.rows), schedule.n_synthetic[0], replace=False)


def mixed_chain(truth, model, schedule, weight, ridge, n_generations, rng):
    """Return the functions of generations 0..T of a chain on mixed labels."""
    found, same, real = [None], _same_rows(truth, model, schedule, rng), None
    for t in range(n_generations):
        rows = sample(truth, model, found[-1], schedule.n_synthetic[t], model.synthetic_noise, rng, same)
        d = truth.rows.shape[1]
        if real is None or model.real_labels != "fixed":
            real = sample(truth, model, None, len(rows), model.sigma, rng, rows[:, d].astype(int))
        rows[:, d + 1 :] = weight * real[:, d + 1 :] + (1 - weight) * rows[:, d + 1 :]
        found.append(refit(truth, model, found[-1], rows, ridge))
    return found
