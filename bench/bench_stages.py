"""Stages of the discrete family, against NumPy: 1e5 live symbols, 100 tokens a symbol, one thread, CPU seconds.

A weighted mix, a temperature, and curation by both rules, each beside plain replace in the same run. The NumPy loops
keep live symbols only and count them; fastcollapse computes all metrics and the extinction times. `relative` is the
ratio of a stage divided by the ratio of plain replace: a stage costs no more than it costs in NumPy where it is 1. The
first generation, which touches the memory of a state first, is not timed.
"""

import statistics
from collections.abc import Callable

import numpy as np
from bench_spectrum import cpu
from harness import figures, header, row, save

from fastcollapse import Experiment, load_truth
from fastcollapse.kernels.jit import set_threads
from fastcollapse.models.base import Model
from fastcollapse.models.discrete.model import Discrete
from fastcollapse.simulation.schedules import schedule_of

BENCH = "stages"
N_SYMBOLS = 10**5
N_TOKENS = 100 * N_SYMBOLS
N_GENERATIONS = 5
PAIRS = 9
WEIGHT, TEMPERATURE, LEVELS = 0.3, 1.25, 16
LEVEL = np.arange(N_SYMBOLS) % LEVELS
REWARDS = np.arange(LEVELS) / LEVELS
RNG = np.random.default_rng(1)

Step = Callable[[np.ndarray, np.ndarray], np.ndarray]


def model_of(stages: dict) -> Model:
    """Return the model of replace, or of another workflow, from a uniform law."""
    experiment = Experiment.from_mapping(
        {
            "truth": {"uniform": N_SYMBOLS},
            "workflow": {"name": "replace", "n_samples": N_TOKENS},
            "run": {"n_generations": N_GENERATIONS, "n_replicates": 1, "seed": 1},
            **stages,
        }
    )
    truth = load_truth(experiment.truth)
    return Discrete.create(truth, experiment.model, schedule_of(experiment, truth.total), ("metrics",))


def ours(model: Model, seed: int) -> float:
    """Return the CPU seconds of the generations after the first."""
    state = model.initial(1, seed)
    model.advance(state, 1, 1, seed)
    start = cpu()
    model.advance(state, 2, N_GENERATIONS - 1, seed)
    return cpu() - start


def numpy_loop(weights_of: Step) -> float:
    """Return the CPU seconds of the same generations in NumPy; `weights_of` maps the live symbols and their shares."""
    symbols, p = np.arange(N_SYMBOLS), np.full(N_SYMBOLS, 1 / N_SYMBOLS)
    start = 0.0
    for generation in range(N_GENERATIONS):
        if generation == 1:
            start = cpu()
        weights = weights_of(symbols, p)
        counts = RNG.multinomial(N_TOKENS, weights)
        live = counts > 0
        symbols, p = symbols[live], counts[live] / N_TOKENS
    return cpu() - start


def numpy_mix() -> float:
    """Return the CPU seconds of a weighted mix in NumPy, where fresh real data brings symbols back."""
    truth = np.full(N_SYMBOLS, 1 / N_SYMBOLS)
    p, start = truth, 0.0
    for generation in range(N_GENERATIONS):
        if generation == 1:
            start = cpu()
        real, synthetic = RNG.multinomial(N_TOKENS, truth), RNG.multinomial(N_TOKENS, p)
        p = (WEIGHT / N_TOKENS) * real + ((1 - WEIGHT) / N_TOKENS) * synthetic
        np.count_nonzero(p)
    return cpu() - start


def plain(symbols: np.ndarray, p: np.ndarray) -> np.ndarray:
    """Return the shares."""
    return p


def tempered(symbols: np.ndarray, p: np.ndarray) -> np.ndarray:
    """Return the shares at a temperature."""
    weights = p ** (1 / TEMPERATURE)
    return weights / weights.sum()


_GAINS = np.exp(REWARDS)
_PAIRS = 2 * _GAINS[:, None] / (_GAINS[:, None] + _GAINS)


def best_of_soft(symbols: np.ndarray, p: np.ndarray) -> np.ndarray:
    """Return the law of the kept one of two, by a matrix over pairs of levels."""
    level = LEVEL[symbols]
    weights = p * (_PAIRS @ np.bincount(level, p, LEVELS))[level]
    return weights / weights.sum()


def best_of_hard(symbols: np.ndarray, p: np.ndarray) -> np.ndarray:
    """Return the law of the better one of two, by differences of squares."""
    level = LEVEL[symbols]
    mass = np.bincount(level, p, LEVELS)
    gained = np.diff(np.cumsum(mass) ** 2, prepend=0.0)
    weights = p * np.divide(gained, mass, out=np.zeros(LEVELS), where=mass > 0)[level]
    return weights / weights.sum()


def curation(rule: str) -> dict:
    """Return the section of curation."""
    return {"sampling": {"best_of": {"k": 2, "rule": rule, "reward": REWARDS[LEVEL].tolist()}}}


CASES: dict[str, tuple[dict, Callable[[], float]]] = {
    "plain replace": ({}, lambda: numpy_loop(plain)),
    "weighted mix": (
        {"workflow": {"name": "mix", "n_samples": N_TOKENS, "n_real": N_TOKENS, "real": "fresh", "weight": WEIGHT}},
        numpy_mix,
    ),
    "temperature": ({"sampling": {"temperature": TEMPERATURE}}, lambda: numpy_loop(tempered)),
    "best of 2, soft": (curation("soft"), lambda: numpy_loop(best_of_soft)),
    "best of 2, hard": (curation("hard"), lambda: numpy_loop(best_of_hard)),
}


def main() -> None:
    """Run the benchmark, print its table and save its rows."""
    set_threads(1)
    models = {name: model_of(stages) for name, (stages, _) in CASES.items()}
    for model in models.values():
        ours(model, 0)
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in CASES}
    for seed in range(PAIRS):  # all cases in turn, so that a slow phase of the machine meets each of them
        for name, (_, peer) in CASES.items():
            times[name].append((ours(models[name], seed), peer()))
    rows = []
    header()
    ratios = {}
    for name, pairs in times.items():
        mine, other = (statistics.median(pair[k] for pair in pairs) for k in (0, 1))
        ratios[name] = other / mine
        rows.append(row(BENCH, name, "NumPy multinomial, live", 1, mine, other))
    relative = {name: round(ratio / ratios["plain replace"], 2) for name, ratio in ratios.items()}
    rows.append(figures(BENCH, "ratio relative to plain replace", **relative))
    save(BENCH, rows)


if __name__ == "__main__":
    main()
