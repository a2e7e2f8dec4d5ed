"""Papers whose statements the panels of a run draw upon.

Most of the theory is derived in this project. A paper is here if a theory function that the panels call names it in its
docstring; `tests/analysis/panels/test_theory_sources.py` compares both.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from fastcollapse.analysis.panels.discrete_map_theory import threshold_text
from fastcollapse.analysis.panels.ngram_theory import contexts_of
from fastcollapse.analysis.panels.registry import panels_for
from fastcollapse.analysis.panels.regression_setting import setting_of
from fastcollapse.analysis.panels.schedules import (
    accumulated_size,
    is_replace_only,
    needs_beside_maps,
    replace_only_size,
    sampling_of,
    schedule_of,
)
from fastcollapse.models.discrete.truth import DiscreteTruth
from fastcollapse.simulation.recorded_run import RecordedRun


class Statement(NamedTuple):
    """A statement of papers.

    Parameters
    ----------
    words : what it says.
    keys : of the papers in data/references.bib.
    panels : names of the panels that draw upon it.
    holds : whether it holds for a run.
    """

    words: str
    keys: tuple[str, ...]
    panels: tuple[str, ...]
    holds: Callable[[RecordedRun], bool]


def _has_constant_size(results: RecordedRun) -> bool:
    return replace_only_size(results) is not None


def _accumulates(results: RecordedRun) -> bool:
    return accumulated_size(results) is not None


def _has_power_law(results: RecordedRun) -> bool:
    truth = results.experiment.truth
    law = truth.zipf_mandelbrot if isinstance(truth, DiscreteTruth) else None
    return law is not None and law.a > 1 and _has_constant_size(results)


def _has_fresh_data(results: RecordedRun) -> bool:
    schedule = schedule_of(results)
    has_real = bool((schedule.n_real > 0).all()) and schedule.real != "fixed"
    return has_real and schedule.sampling is None and not schedule.keep[1:].any()


def _has_batches(results: RecordedRun) -> bool:
    schedule = schedule_of(results)
    return schedule.sampling is None and not schedule.n_train.any()


def _is_curated(results: RecordedRun) -> bool:
    sampling = sampling_of(results)
    return sampling is not None and sampling.best_of is not None and sampling.best_of.rule == "soft"


def _is_verified(results: RecordedRun) -> bool:
    sampling = sampling_of(results)
    schedule = schedule_of(results)
    is_alone = not schedule.first_is_real and not needs_beside_maps(schedule)
    return sampling is not None and sampling.verifier is not None and is_alone


def _shape(results: RecordedRun) -> bool:
    truth: Any = results.experiment.truth
    return truth.shape is not None


def _normal_mixture(results: RecordedRun) -> bool:
    truth: Any = results.experiment.truth
    return truth.normal_mixture is not None


def _is_least_squares(results: RecordedRun) -> bool:
    """Whether generators are least squares with enough rows, fitted to labels of the one before, or of all."""
    setting = setting_of(results)
    enough = setting.ridge == 0 and int(setting.rows.min()) >= setting.d
    return (setting.replace_only and enough) or _keeps_labels(results)


def _keeps_labels(results: RecordedRun) -> bool:
    """Whether labels of all generations for the same rows accumulate."""
    setting = setting_of(results)
    enough = setting.ridge == 0 and setting.dependent and int(setting.rows.min()) >= setting.d
    return _accumulates(results) and enough


def _starts_from_previous(results: RecordedRun) -> bool:
    setting = setting_of(results)
    return setting.replace_only and setting.from_previous and not (setting.ridge == 0 and setting.isotropic)


def _weighs_rows(results: RecordedRun) -> bool:
    schedule = schedule_of(results)
    return schedule.weight is not None and schedule.real != "fixed" and not schedule.keep[1:].any()


def _is_tuned(results: RecordedRun) -> bool:
    return setting_of(results).tuned


def _is_mixed(results: RecordedRun) -> bool:
    return setting_of(results).mixed


def _is_from_zero(results: RecordedRun) -> bool:
    """Whether downstream fits start from zero."""
    model: Any = results.experiment.model
    return model.downstream is not None and not _is_tuned(results)


def _has_same_rows(results: RecordedRun) -> bool:
    return setting_of(results).dependent


def _has_new_rows(results: RecordedRun) -> bool:
    """Whether least squares on mixed labels have new rows in each generation."""
    setting, ridges = setting_of(results), results.coordinates.get("ridge")
    is_plain = ridges is not None and bool((ridges.values == 0).any())
    return is_plain and not setting.dependent and int(setting.rows.min()) >= setting.d + 2


def _has_best_weight(results: RecordedRun) -> bool:
    return _has_same_rows(results) or _has_new_rows(results)


def _has_spectrum(results: RecordedRun) -> bool:
    model: Any = results.experiment.model
    plain = is_replace_only(results) and not model.is_dependent and not model.from_previous
    return plain and "spectrum" in results.coordinates


def _real_rows_stay(results: RecordedRun) -> bool:
    """Whether each context of a text is fitted to tokens of its own number, with the real ones or with none."""
    return contexts_of(results).kind in ("replace", "fixed")


def _always(results: RecordedRun) -> bool:
    return True


_GENERATORS = ("generator_error", "generator_norm", "generator_alignment", "ratio_to_first", "error_over_real")
_DOWNSTREAM = ("test_error", "error_by_ridge", "error_by_samples", "error_by_generation", "decomposition", "optimum")
_TUNING = (*_DOWNSTREAM, "fine_tuning")
_MIXED = (*_DOWNSTREAM, "plateau", "ridge_gain")
_RATIO = Statement("factors of large samples in any workflow", ("dey2024",), ("ratio_to_first",), _has_batches)
_OVER_REAL = Statement(
    "fits that weigh fresh real and synthetic data", ("he2025",), ("error_over_real",), _has_fresh_data
)
_MAPS = ("map_reward", "map_exp_reward", "map_heterozygosity", "map_total_variation", "map_kl", "map_share")

# Family -> the statements that its panels draw upon.
STATEMENTS: dict[str, tuple[Statement, ...]] = {
    "discrete": (
        Statement("bounds of the number of symbols, Corollary 1", ("suresh2024",), ("survival",), _has_constant_size),
        Statement("bounds of the survival of a symbol, Theorem 1", ("suresh2024",), ("symbol",), _has_constant_size),
        Statement(
            "bounds of the probability that both of two symbols are alive",
            ("seddik2024", "suresh2024"),
            ("coexistence", "both_ends"),
            _has_constant_size,
        ),
        Statement("exponent of the lost mass of a Zipf law", ("dohmatob2024a",), ("lost_mass",), _has_power_law),
        Statement("law of a curated sample", ("ferbach2024",), _MAPS, _is_curated),
        Statement("need of external data at a temperature", ("marchi2024",), _MAPS, lambda r: bool(threshold_text(r))),
        _RATIO,
        _OVER_REAL,
    ),
    "gaussian": (
        Statement("bounds of the tail of the deviation", ("suresh2024", "bertrand2023"), ("tail",), _has_constant_size),
        Statement(
            "convergence to the centre of a verifier",
            ("yi2025",),
            ("map_variance", "map_mean_error", "map_mean", "map_log_sigma"),
            _is_verified,
        ),
        _RATIO,
        _OVER_REAL,
    ),
    "glm": (
        Statement(
            "factors of large samples in any workflow", ("dey2024",), ("squared_error", "ratio_to_first"), _always
        ),
    ),
    "hidden_interval": (Statement("construction of Theorem 5.1", ("barzilai2025",), ("collapsed",), _accumulates),),
    "kde": (
        Statement("shapes of points", ("kazdan2024",), ("nll", "ise"), _shape),
        Statement("maximum mean discrepancy of width 0.5", ("wang2026",), ("mmd",), _normal_mixture),
    ),
    "kernel_ridge": (
        Statement(
            "deterministic equivalents of the test error",
            ("dohmatob2024b",),
            ("generator_error", "test_error", "error_by_samples", "error_by_ridge"),
            _has_spectrum,
        ),
    ),
    "mixture": (
        Statement("bound of the tail of the deviation, Theorem 4", ("suresh2024",), ("tail",), _has_constant_size),
    ),
    "ngram": (
        Statement(
            "distance of contexts from their law",
            ("seddik2024",),
            ("squared_distance", "synthetic_noise"),
            _real_rows_stay,
        ),
    ),
    "poisson": (Statement("survival of the rate, Theorem 2", ("suresh2024",), ("alive",), _has_constant_size),),
    "ridge": (
        Statement("error of least squares", ("dohmatob2024b",), (*_GENERATORS, *_TUNING), _is_least_squares),
        Statement(
            "finite error of accumulated labels, pi²/6", ("gerstgrasser2024", "dey2024"), _GENERATORS, _keeps_labels
        ),
        Statement("fits that weigh fresh real and synthetic data", ("he2025",), _GENERATORS, _weighs_rows),
        Statement("fits that start from the generation before", ("ghane2024",), _GENERATORS, _starts_from_previous),
        Statement("deterministic equivalents of the test error", ("dohmatob2024b",), _MIXED, _is_from_zero),
        Statement("fine-tuning, and its universality", ("ghane2024",), _TUNING, _is_tuned),
        Statement("error with a share of synthetic rows", ("dohmatob2024c",), _MIXED, _is_mixed),
        Statement("errors of mixed labels for the same rows", ("garg2025",), ("mixed_error",), _has_same_rows),
        Statement("best weight of real labels", ("garg2025",), ("best_weight",), _has_best_weight),
        Statement("fits that weigh real and synthetic labels", ("he2025",), ("mixed_error",), _has_new_rows),
        _OVER_REAL,
    ),
    "stable_mean": (Statement("representation of stable variates", ("chambers1976",), ("error",), _always),),
    "uniform_levels": (Statement("construction of Theorem 5.2", ("barzilai2025",), ("collapsed",), _accumulates),),
}


def statements_of(results: RecordedRun) -> list[Statement]:
    """Return the statements that the panels of a run draw upon: those of its recipe, or of its family."""
    recipe, known = results.recipe, STATEMENTS.get(results.experiment.family, ())
    if not known:
        return []
    shown = recipe.panels if recipe is not None and recipe.panels else panels_for(results).default_names(results)
    return [one for one in known if set(one.panels) & set(shown) and one.holds(results)]
