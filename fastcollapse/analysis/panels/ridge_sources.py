"""Papers whose statements the panels of ridge regression draw upon."""

from typing import Any

from fastcollapse.analysis.panels.regression_setting import setting_of
from fastcollapse.analysis.panels.schedules import schedule_of
from fastcollapse.analysis.panels.statements import ERROR_OVER_REAL, Statement, accumulates
from fastcollapse.simulation.recorded_run import RecordedRun


def _is_least_squares(results: RecordedRun) -> bool:
    """Whether generators are least squares with enough rows, fitted to labels of the one before, or of all."""
    setting = setting_of(results)
    enough = setting.ridge == 0 and int(setting.rows.min()) >= setting.d
    return (setting.replace_only and enough) or _keeps_labels(results)


def _keeps_labels(results: RecordedRun) -> bool:
    """Whether labels of all generations for the same rows accumulate."""
    setting = setting_of(results)
    enough = setting.ridge == 0 and setting.dependent and int(setting.rows.min()) >= setting.d
    return accumulates(results) and enough


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


_GENERATORS = ("generator_error", "generator_norm", "generator_alignment", "ratio_to_first", "error_over_real")
_DOWNSTREAM = ("test_error", "error_by_ridge", "error_by_samples", "error_by_generation", "decomposition", "optimum")
_TUNING = (*_DOWNSTREAM, "fine_tuning")
_MIXED = (*_DOWNSTREAM, "plateau", "ridge_gain")

SOURCES = (
    Statement("error of least squares", ("dohmatob2024b",), (*_GENERATORS, *_TUNING), _is_least_squares),
    Statement("finite error of accumulated labels, pi²/6", ("gerstgrasser2024", "dey2024"), _GENERATORS, _keeps_labels),
    Statement("fits that weigh fresh real and synthetic data", ("he2025",), _GENERATORS, _weighs_rows),
    Statement("fits that start from the generation before", ("ghane2024",), _GENERATORS, _starts_from_previous),
    Statement("deterministic equivalents of the test error", ("dohmatob2024b",), _MIXED, _is_from_zero),
    Statement("fine-tuning, and its universality", ("ghane2024",), _TUNING, _is_tuned),
    Statement("error with a share of synthetic rows", ("dohmatob2024c",), _MIXED, _is_mixed),
    Statement("errors of mixed labels for the same rows", ("garg2025",), ("mixed_error",), _has_same_rows),
    Statement("best weight of real labels", ("garg2025",), ("best_weight",), _has_best_weight),
    Statement("fits that weigh real and synthetic labels", ("he2025",), ("mixed_error",), _has_new_rows),
    ERROR_OVER_REAL,
)
