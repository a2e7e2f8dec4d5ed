"""Small experiments that together use all kernels of the discrete family."""

from typing import Any

_UNIFORM = {"uniform": 50}
_ZIPF = {"zipf_mandelbrot": {"a": 1.0, "b": 2.7, "size": 50}}
# Counts have 32 bits, or are floats if one may be above 2^31; recorded counts have 64 bits above 2^32.
_SIZES: tuple[dict[str, int], ...] = (
    {},
    {"n_samples": 3 * 10**9, "n_real": 10**9},
    {"n_samples": 5 * 10**9, "n_real": 10**9},
)

EXAMPLES: tuple[dict[str, Any], ...] = (
    *({"truth": _UNIFORM, "workflow": sizes} for sizes in _SIZES),
    *({"model": {"engine": "spectrum"}, "truth": truth, "run": {"record": ["entropy"]}} for truth in (_UNIFORM, _ZIPF)),
)
