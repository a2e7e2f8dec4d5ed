"""The engine of a discrete run: a count for each symbol, or the number of symbols of each count."""

import math
from typing import Any

from fastcollapse.config.capabilities import CAPABILITIES
from fastcollapse.config.fields import power_text, show
from fastcollapse.config.schedule import Schedule
from fastcollapse.datasets.count_spectrum import MAX_SYMBOLS, ZipfMandelbrotLaw
from fastcollapse.errors import InputError
from fastcollapse.models.discrete.parameters import DiscreteParameters

# The spectrum engine pays from this number of symbols on, if they are more than this factor times sqrt(n): a generation
# of n tokens of a Zipf law costs about 4e-7 sqrt(n) s, and a symbol of the other engine about 1e-8 s. With fresh real
# data they cost about 4e-6 sqrt(n) s and 2.4e-8 s.
_FEWEST_SYMBOLS = 10**6
_FACTOR, _FACTOR_FRESH = 100.0, 250.0
# Metrics of a state that are functions of its spectrum.
LABEL_FREE = ("support_size", "entropy", "heterozygosity")
SURVIVAL = "survival"
LOST_MASS = "lost_mass"
# What the spectrum engine can do beyond workflow replace, see `CAPABILITIES`.
SPECTRUM_CAPABILITIES = frozenset({"pool", "fresh_real", "fixed_real"})


def choose_engine(truth: Any, parameters: DiscreteParameters, schedule: Schedule, record: tuple[str, ...]) -> str:
    """Return "symbols" or "spectrum": `model.engine`, or else the rule.

    The rule takes the spectrum engine where it serves every recorded name and the workflow, and where it pays: from
    1,000,000 symbols on, if they are at least 100 sqrt(n) for n tokens, or 250 sqrt(n) with fresh real data. It is a
    function of the experiment and its truth, so that an experiment and its seed keep their bits. Without
    `model.engine`, all metrics and a trajectory are those of symbols.

    Parameters
    ----------
    truth : the loaded truth.
    parameters, schedule, record : section `[model]`, workflow and `run.record`.

    Raises
    ------
    InputError
        The engine cannot serve the run, or no engine can.
    """
    by_spectrum, by_symbols = limit_of_spectrum(truth, schedule, record), _limit_of_symbols(truth, record)
    if parameters.engine is not None:
        limit = by_spectrum if parameters.engine == "spectrum" else by_symbols
        other, other_limit = ("symbols", by_symbols) if parameters.engine == "spectrum" else ("spectrum", by_spectrum)
        if limit:
            hint = "" if other_limit else f"; model.engine = '{other}' has no such limit"
            raise InputError(f"{limit}, with model.engine = '{parameters.engine}'{hint}")
        return parameters.engine
    wants_symbols = "metrics" in record or "trajectory" in record
    if by_symbols:
        if by_spectrum:
            raise InputError(f"{by_symbols}; with model.engine = 'spectrum', {by_spectrum}")
        if "metrics" in record:
            raise InputError(f"{by_symbols}; for more, run.record must be of {', '.join(LABEL_FREE)}")
        return "spectrum"
    n_tokens = int(schedule.fitted_sizes(truth.total).max())
    factor = _FACTOR_FRESH if "fresh_real" in schedule.needs else _FACTOR
    pays = truth.support_size >= max(_FEWEST_SYMBOLS, factor * math.sqrt(n_tokens))
    return "spectrum" if pays and not by_spectrum and not wants_symbols else "symbols"


def limit_of_spectrum(truth: Any, schedule: Schedule, record: tuple[str, ...]) -> str:
    """Return the key that the spectrum engine cannot serve and what is allowed; "" if it serves all.

    Parameters
    ----------
    truth, schedule, record : see `choose_engine`.
    """
    missing = sorted(schedule.needs - SPECTRUM_CAPABILITIES)
    if missing:
        where = "[sampling]" if schedule.sampling and missing[0] in schedule.sampling.maps else "workflow.name"
        return f"{where} must be one without {CAPABILITIES[missing[0]]}"
    known = (*LABEL_FREE, SURVIVAL, LOST_MASS)
    for name in record:
        if name not in (*known, "trajectory", "metrics"):
            return f"run.record must be of {', '.join(known)}, got {show(name)}"
    if isinstance(truth, ZipfMandelbrotLaw) and schedule.n_real.any():
        return "workflow.name must be one without real data for truth.zipf_mandelbrot"
    if SURVIVAL in record and truth.total is None:
        return "run.record must not have 'survival' for a truth without counts"
    if LOST_MASS in record and schedule.n_generations > 1 and SURVIVAL not in record:
        return "run.record must not have 'lost_mass' beyond generation 1, unless it has 'survival' too"
    return ""


def served_metrics(truth: Any, schedule: Schedule, record: tuple[str, ...]) -> tuple[str, ...]:
    """Return the metrics that the spectrum engine computes in a run.

    `survival` needs original counts and must be named in `record`. `lost_mass` is served after a single refit, or with
    `survival`.

    Parameters
    ----------
    truth, schedule, record : see `choose_engine`.
    """
    followed = SURVIVAL in record and truth.counts is not None
    lost = followed or schedule.n_generations == 1
    return (*LABEL_FREE, *([LOST_MASS] if lost else []), *([SURVIVAL] if followed else []))


def _limit_of_symbols(truth: Any, record: tuple[str, ...]) -> str:
    """Return the key that the engine over symbols cannot serve and what is allowed; "" if it serves all."""
    if SURVIVAL in record:
        return "run.record must not have 'survival', which the extinction times give"
    if truth.support_size > MAX_SYMBOLS:
        return f"[truth] must have at most {power_text(MAX_SYMBOLS)} symbols, got {truth.support_size:,}"
    return ""
