"""Naive twin of the ridge family: draws every row of inputs, labels it, keeps raw rows, and solves least squares.

This code is slow; `fastcollapse.models.ridge.model` must have exactly this law.
"""

import numpy as np

from tests.naive import recursion

_NOISE = {"sigma": 0.5, "sigma0": 0.8}
_PLANE = {"dimension": 2, "covariance": [[2.0, 0.5], [0.5, 1.0]], "w0": [1.0, -2.0]}
# Cases of the conformance test: 12 samples of 3 inputs, or of 14 inputs, which 12 samples do not span.
CASES = {
    "plane": recursion.Case(
        _PLANE,
        {"designs": "independent", "downstream": {"n_samples": [9, 20], "ridge": [0.0, 0.3]}, **_NOISE},
        {**_PLANE, "w0": [1.5, -2.0]},
    ),
    "same inputs": recursion.Case(
        {"dimension": 3, "beta": 1.0}, {"designs": "dependent", "ridge": 0.2, **_NOISE}, {"dimension": 3, "norm": 1.5}
    ),
    "minimum norm": recursion.Case(
        {"dimension": 14, "beta": 0.5},
        {"designs": "dependent", "downstream": {"n_samples": 7, "exponent": 1.0}, **_NOISE},
        {"dimension": 14, "norm": 2.5},
        workflows=("replace", "accumulate_subsample", "mix"),
        optimal=False,
    ),
    "rows": recursion.Case(
        {"dimension": 14, "design": "student", "degrees": 5.0, "norm": 2.0},
        {"designs": "independent", "sampler": "raw", "downstream": {"n_samples": 20, "ridge": 0.1}, **_NOISE},
        {"dimension": 14, "design": "student", "degrees": 5.0},
        workflows=("accumulate", "accumulate_subsample"),
    ),
    "projections": recursion.Case(
        {"dimension": 14},
        {"designs": "independent", "downstream": {"n_samples": [5, 30], "ridge": 0.1}, **_NOISE},
        {"dimension": 14, "norm": 2.0},
        workflows=("replace",),
    ),
    "overlaps": recursion.Case(
        {"dimension": 14},
        {"designs": "independent", "follow": "overlaps", "downstream": {"n_samples": 5, "ridge": 0.0}, **_NOISE},
        {"dimension": 14, "norm": 2.0},
        workflows=("replace",),
    ),
    "real and synthetic rows": recursion.Case(
        {"dimension": 14, "beta": 0.5},
        {
            "designs": "independent",
            "downstream": {"n_samples": [9, 30], "synthetic_share": [0.0, 0.6], "ridge": [0.0, 0.1]},
            **_NOISE,
        },
        {"dimension": 14, "beta": 1.5},
        workflows=("replace",),
    ),
    "synthetic rows of another error": recursion.Case(
        {"dimension": 3, "beta": 1.0},
        {
            "designs": "independent",
            "downstream": {"n_samples": 9, "synthetic_share": 0.5, "delta": 0.5, "ridge": 0.1, "start": "generation"},
            **_NOISE,
        },
        {"dimension": 3, "norm": 1.5},
        workflows=("replace",),
    ),
    "fine-tuned": recursion.Case(
        {"dimension": 14, "beta": 0.5},
        {
            "designs": "independent",
            "start": "previous",
            "downstream": {"n_samples": [30, 9], "ridge": [0.0, 0.3], "start": "generation"},
            **_NOISE,
        },
        {"dimension": 14, "beta": 1.5},
        workflows=("replace", "mix"),
        lacks=frozenset({"weights"}),
    ),
    "fine-tuned on the same inputs": recursion.Case(
        {"dimension": 14},
        {
            "designs": "dependent",
            "start": "previous",
            "ridge": 0.2,
            "mixed_labels": {"weight": [0.6, 0.3], "ridge": [0.0, 0.3]},
            "sigma": 0.5,
            "sigma0": 0.8,
        },
        {"dimension": 14, "spectrum": [3.0] * 14},
        workflows=("replace", "mix"),
        lacks=frozenset({"weights", "fresh_real", "fixed_real"}),
    ),
    "mixed labels": recursion.Case(
        {"dimension": 3, "beta": 1.0},
        {"designs": "dependent", "mixed_labels": {"weight": [0.2, 0.6], "ridge": [0.0, 0.3]}, **_NOISE},
        {"dimension": 3, "norm": 1.5},
        workflows=("replace",),
    ),
    "fixed real labels": recursion.Case(
        {"dimension": 14},
        {"designs": "dependent", "real_labels": "fixed", "mixed_labels": {"weight": [0.5]}, **_NOISE},
        {"dimension": 14, "norm": 2.0},
        workflows=("replace",),
    ),
    "mixed labels of new rows": recursion.Case(
        {"dimension": 14, "design": "uniform", "norm": 2.0},
        {
            "designs": "independent",
            "sampler": "raw",
            "mixed_labels": {"weight": 0.5, "ridge": [0.0, 0.3]},
            **_NOISE,
        },
        {"dimension": 14, "design": "uniform"},
        workflows=("replace",),
    ),
}
N_RAW = 800


def raw(truth, model, schedule, n_generations, rng):
    """Return columns of numbers of generations 0..T for one replicate, float64 (T + 1, 3 or 4): excess test error,
    norm and overlap with w0 of the weights, and the test error of the last predictor downstream, or of the chain of
    the last weight and ridge on mixed labels.
    """
    weights = chain(truth, model, schedule, n_generations, rng)
    found = [_errors(truth, weights), (weights**2).sum(axis=1), weights @ truth.weights]
    if model.downstream is not None:
        sizes, ridges = model.downstream.sizes(), model.downstream.ridges()
        last = sizes[-1], ridges[-1, -1], model.downstream.synthetic_sizes()[-1, -1]
        drawn = rng.standard_normal(truth.dimension)
        predictors = [predictor(truth, model, w, *last, drawn, rng) for w in weights]
        found.append(_errors(truth, np.array(predictors)))
    if model.mixed_labels is not None:
        weight, ridge = model.mixed_labels.weights()[-1], model.mixed_labels.ridges()[-1]
        found.append(_errors(truth, mixed_chain(truth, model, schedule, weight, ridge, n_generations, rng)))
    return np.column_stack(found)


def columns(results):
    """Return the same columns as `raw`, from simulated results, float64 (R, T + 1, 3 or 4)."""
    metrics, w0 = results.metrics, results.coordinates["w0"].values
    norm = np.linalg.norm(w0)
    squares = metrics["generator_norm"] ** 2
    found = [metrics["generator_error"], squares, metrics["generator_alignment"] * metrics["generator_norm"] * norm]
    if "test_error" in metrics:
        test = metrics["test_error"]
        found.append(test.reshape(*test.shape[:2], -1)[..., -1])
    if "mixed_error" in metrics:
        found.append(metrics["mixed_error"][:, :, -1, -1])
    return np.stack(found, axis=2)


def _errors(truth, weights):
    return ((weights - truth.weights) ** 2) @ truth.spectrum


def inputs(truth, n, rng):
    """Return n rows of inputs in the basis of the eigenvectors, float64 (n, d)."""
    shape = (n, truth.dimension)
    if truth.design == "rows":
        return truth.rows[rng.integers(len(truth.rows), size=n)]
    if truth.design == "gaussian":
        x = rng.standard_normal(shape)
    elif truth.design == "rademacher":
        x = rng.choice([-1.0, 1.0], size=shape)
    elif truth.design == "uniform":
        x = rng.uniform(-np.sqrt(3), np.sqrt(3), size=shape)
    else:
        x = rng.standard_t(truth.degrees, size=shape) * np.sqrt((truth.degrees - 2) / truth.degrees)
    return x * np.sqrt(truth.spectrum)


def sample(truth, weights, n, sigma, rng):
    """Return n rows of inputs and their labels."""
    x = inputs(truth, n, rng)
    return x, x @ weights + sigma * rng.standard_normal(n)


def fit(x, y, ridge):
    """Return the weights with the least (1/n) |y - x w|^2 + ridge |w|^2; the ones of least norm if several exist."""
    if ridge == 0:
        return np.linalg.pinv(x) @ y
    n, d = x.shape
    return np.linalg.solve(x.T @ x / n + ridge * np.eye(d), x.T @ y / n)


def fit_from(start, x, y, ridge):
    """Return the weights with the least (1/n) |y - x w|^2 + ridge |w - start|^2; the ones nearest to `start`."""
    return start + fit(x, y - x @ start, ridge)


def predictor(truth, model, weights, n, ridge, n_synthetic, drawn, rng):
    """Return the predictor of a generation: fitted to its labels, or fine-tuned from it on labels of the truth.

    With a synthetic share, `n_synthetic` of the rows have other labels, of an error that may be the normal numbers
    `drawn` of a replicate times a deviation.
    """
    down = model.downstream
    start = weights if down.is_tuned else np.zeros_like(weights)
    if not down.is_mixed:
        return fit_from(start, *sample(truth, truth.weights if down.is_tuned else weights, n, model.sigma, rng), ridge)
    x, y = sample(truth, truth.weights, n - n_synthetic, model.sigma, rng)
    if down.of_generator:
        delta = weights - truth.weights
    else:
        delta = np.array(down.delta) if isinstance(down.delta, tuple) else np.sqrt(down.delta) * drawn
    other_x, other_y = sample(truth, truth.weights + delta, n_synthetic, model.synthetic_noise, rng)
    return fit_from(start, np.concatenate([x, other_x]), np.concatenate([y, other_y]), ridge)


def chain(truth, model, schedule, n_generations, rng):
    """Return the weights of generations 0..T, float64 (T + 1, d)."""
    same = inputs(truth, schedule.n_synthetic.max(), rng) if model.designs == "dependent" else None

    last = [truth.weights]

    def draw(weights, n, rng):
        last[0] = weights
        x = inputs(truth, n, rng) if same is None else same
        return np.column_stack([x, x @ weights + model.synthetic_noise * rng.standard_normal(n)])

    def draw_real(weights, n, rng):
        return np.column_stack(sample(truth, weights, n, model.sigma, rng))

    def refit(rows):
        if model.start == "previous":
            return fit_from(last[0], rows[:, :-1], rows[:, -1], model.ridge)
        return fit(rows[:, :-1], rows[:, -1], model.ridge)

    def refit_parts(groups):
        return sum(weight * refit(rows) for rows, weight in groups)

    start = truth.weights
    if schedule.is_plain:
        return np.array(recursion.states(start, draw, refit, schedule, n_generations, rng, draw_real=draw_real))
    found = recursion.staged_states(start, draw, refit_parts, schedule, n_generations, rng, draw_real=draw_real)
    return np.array(found)


def mixed_chain(truth, model, schedule, weight, ridge, n_generations, rng):
    """Return the weights of generations 0..T of a chain on mixed labels, float64 (T + 1, d)."""
    found, x, real = [truth.weights], None, None
    for t in range(n_generations):
        if x is None or model.designs == "independent":
            x = inputs(truth, schedule.n_synthetic[t], rng)
        if real is None or model.real_labels != "fixed":
            real = x @ truth.weights + model.sigma * rng.standard_normal(len(x))
        synthetic = x @ found[-1] + model.synthetic_noise * rng.standard_normal(len(x))
        start = found[-1] if model.start == "previous" else np.zeros_like(truth.weights)
        found.append(fit_from(start, x, weight * real + (1 - weight) * synthetic, ridge))
    return np.array(found)
