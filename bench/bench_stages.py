"""Stages of the discrete family, against NumPy: 1e5 live symbols, 100 tokens a symbol, one thread, CPU seconds.

A weighted mix, a temperature, and curation by both rules, each beside plain replace in the same run. The NumPy loops
keep live symbols only and count them; fastcollapse computes all metrics and the extinction times. `relative` is the
ratio of a stage divided by the ratio of plain replace: a stage costs no more than it costs in NumPy where it is 1. The
first generation, which touches the memory of a state first, is not timed.

The hard rule squares the law of the reward in each generation. If all rewards had the same number of tokens, few
symbols would be alive after five generations. So the lowest reward has nine tenths of the tokens: all symbols stay
alive in all cases, and `live` is the least number of them. In four cases these tokens are of nine tenths of the
symbols, and the other symbols have 15 rewards. In the last case they are of one more symbol, and every other symbol
has a reward of its own. The rewards are in random order.
"""

import statistics
from collections.abc import Callable
from typing import NamedTuple

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
WEIGHT, TEMPERATURE, LEVELS, COMMON = 0.3, 1.25, 16, 0.9
RNG = np.random.default_rng(1)
UNIFORM = np.full(N_SYMBOLS, 1 / N_SYMBOLS)
LEVEL = RNG.permutation(np.maximum(np.arange(N_SYMBOLS) - int(COMMON * N_SYMBOLS) + 1, 0))
LEVEL = -(-LEVEL * (LEVELS - 1) // (N_SYMBOLS - int(COMMON * N_SYMBOLS)))
REWARDS = np.arange(LEVELS) / LEVELS
# The common symbol has the lowest reward and is the last one.
DISTINCT = np.append(RNG.permutation(N_SYMBOLS) + 1.0, 0.0) / N_SYMBOLS
WITH_COMMON = np.append((1 - COMMON) * UNIFORM, COMMON)

Step = Callable[[np.ndarray, np.ndarray], np.ndarray]


class Case(NamedTuple):
    """A case: sections of its experiment, the NumPy loop, and the truth, which is uniform by default."""

    stages: dict
    peer: Callable[[], float]
    truth: dict | None = None

    def model(self) -> Model:
        """Return the model of replace, or of another workflow."""
        experiment = Experiment.from_mapping(
            {
                "truth": self.truth or {"uniform": N_SYMBOLS},
                "workflow": {"name": "replace", "n_samples": N_TOKENS},
                "run": {"n_generations": N_GENERATIONS, "n_replicates": 1, "seed": 1},
                **self.stages,
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


def least_live(model: Model) -> int:
    """Return the least number of live symbols over the generations."""
    state, live = model.initial(1, 0), []
    for generation in range(1, N_GENERATIONS + 1):
        model.advance(state, generation, 1, 0)
        live.append(int(state.live.alive.sum()))
    return min(live)


def numpy_loop(weights_of: Step, law: np.ndarray = UNIFORM) -> float:
    """Return the CPU seconds of the same generations in NumPy; `weights_of` maps the live symbols and their shares."""
    symbols, p = np.arange(len(law)), law
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
    p, start = UNIFORM, 0.0
    for generation in range(N_GENERATIONS):
        if generation == 1:
            start = cpu()
        real, synthetic = RNG.multinomial(N_TOKENS, UNIFORM), RNG.multinomial(N_TOKENS, p)
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


def best_of_distinct(symbols: np.ndarray, p: np.ndarray) -> np.ndarray:
    """Return the law of the better one of two, where the symbols are in the order of their rewards."""
    weights = np.diff(np.cumsum(p) ** 2, prepend=0.0)
    return weights / weights.sum()


def curation(rule: str, reward: np.ndarray) -> dict:
    """Return the section of curation."""
    return {"sampling": {"best_of": {"k": 2, "rule": rule, "reward": reward.tolist()}}}


MIX = {"name": "mix", "n_samples": N_TOKENS, "n_real": N_TOKENS, "real": "fresh", "weight": WEIGHT}
CASES = {
    "plain replace": Case({}, lambda: numpy_loop(plain)),
    "weighted mix": Case({"workflow": MIX}, numpy_mix),
    "temperature": Case({"sampling": {"temperature": TEMPERATURE}}, lambda: numpy_loop(tempered)),
    "best of 2, soft": Case(curation("soft", REWARDS[LEVEL]), lambda: numpy_loop(best_of_soft)),
    "best of 2, hard": Case(curation("hard", REWARDS[LEVEL]), lambda: numpy_loop(best_of_hard)),
    "best of 2, hard, a reward each": Case(
        curation("hard", DISTINCT),
        lambda: numpy_loop(best_of_distinct, WITH_COMMON[np.argsort(DISTINCT)]),
        {"probabilities": WITH_COMMON.tolist()},
    ),
}


def main() -> None:
    """Run the benchmark, print its table and save its rows."""
    set_threads(1)
    models = {name: case.model() for name, case in CASES.items()}
    live = {name: least_live(model) for name, model in models.items()}
    for model in models.values():
        ours(model, 0)
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in CASES}
    for seed in range(PAIRS):  # all cases in turn, so that a slow phase of the machine meets each of them
        for name, case in CASES.items():
            times[name].append((ours(models[name], seed), case.peer()))
    rows = []
    header()
    ratios = {}
    for name, pairs in times.items():
        mine, other = (statistics.median(pair[k] for pair in pairs) for k in (0, 1))
        ratios[name] = other / mine
        rows.append(row(BENCH, name, "NumPy multinomial, live", 1, mine, other))
    relative = {name: round(ratio / ratios["plain replace"], 2) for name, ratio in ratios.items()}
    rows.append(figures(BENCH, "ratio relative to plain replace", **relative))
    rows.append(figures(BENCH, "live symbols, least", **live))
    save(BENCH, rows)


if __name__ == "__main__":
    main()
