"""Papers whose statements the panels of discrete distributions draw upon."""

from fastcollapse.analysis.panels.discrete_map_theory import threshold_text
from fastcollapse.analysis.panels.statements import (
    ERROR_OVER_REAL,
    RATIO_TO_FIRST,
    Statement,
    has_constant_size,
    is_curated,
)
from fastcollapse.models.discrete.truth import DiscreteTruth
from fastcollapse.simulation.recorded_run import RecordedRun


def _has_power_law(results: RecordedRun) -> bool:
    truth = results.experiment.truth
    law = truth.zipf_mandelbrot if isinstance(truth, DiscreteTruth) else None
    return law is not None and law.a > 1 and has_constant_size(results)


_MAPS = ("map_reward", "map_exp_reward", "map_heterozygosity", "map_total_variation", "map_kl", "map_share")

SOURCES = (
    Statement("bounds of the number of symbols, Corollary 1", ("suresh2024",), ("survival",), has_constant_size),
    Statement("bounds of the survival of a symbol, Theorem 1", ("suresh2024",), ("symbol",), has_constant_size),
    Statement(
        "bounds of the probability that both of two symbols are alive",
        ("seddik2024", "suresh2024"),
        ("coexistence", "both_ends"),
        has_constant_size,
    ),
    Statement("exponent of the lost mass of a Zipf law", ("dohmatob2024a",), ("lost_mass",), _has_power_law),
    Statement("law of a curated sample", ("ferbach2024",), _MAPS, is_curated),
    Statement("need of external data at a temperature", ("marchi2024",), _MAPS, lambda r: bool(threshold_text(r))),
    RATIO_TO_FIRST,
    ERROR_OVER_REAL,
)
