import os
import subprocess
import sys

import numba
import numpy as np
import pytest

from fastcollapse.kernels import jit, single_link
from fastcollapse.kernels.jit import kernel, parallel_kernel, prange

FUNCTIONS = """
import math
from typing import NamedTuple

import numba
import numpy as np

from fastcollapse.kernels.counts.count_corrections import total_of
from fastcollapse.kernels.jit import expanded, kernel, parallel_kernel, prange
from fastcollapse.kernels.random.discrete_variates import binomial, poisson
from fastcollapse.kernels.random.streams import STREAM_WORDS, normal, open_stream


class Group(NamedTuple):
    values: np.ndarray
    scale: float


@numba.njit
def of_a_user(x):
    return x + np.ones(3).sum()


@expanded
def half(x):
    return 0.5 * x


@kernel
def deeper(group, i, stream):
    local = np.zeros(4)
    local[:] = group.values[i] * group.scale
    group.values[i] += poisson(3.0 + i, stream) + binomial(1000 * i, 0.3, stream) + half(normal(stream))
    return math.log(of_a_user(local.sum()))


@kernel
def middle(group, i, stream):
    return deeper(group, i, stream) + total_of(group.values[: i + 1])


@parallel_kernel
def whole(group, out):
    for i in prange(out.shape[0]):
        stream = np.empty(STREAM_WORDS, np.uint64)
        open_stream(1, i, 2, 3, 4, stream)
        out[i] = middle(Group(group.values.copy(), 0.1), i, stream)


def everything():
    values, out = np.linspace(1, 2, 40), np.zeros(40)
    whole(Group(values, 0.1), out)
    stream = np.ones(STREAM_WORDS, np.uint64)
    return [*out, middle(Group(values, 0.1), 3, stream), *values, of_a_user(1.0), binomial(10**9, 0.2, stream)]
"""
CODE = """
from fastcollapse.kernels import jit, single_link
import functions
print(single_link.ENABLED, *[float(x).hex() for x in functions.everything()])
"""


@numba.njit
def add_three(x):
    return x + np.ones(3).sum()


@kernel
def double_of_sum(x):
    return 2 * add_three(x)


@parallel_kernel
def doubles(values):
    for i in prange(values.shape[0]):
        values[i] = double_of_sum(values[i])


def run(tmp_path, single):
    (tmp_path / "functions.py").write_text(FUNCTIONS)
    result = subprocess.run(
        [sys.executable, "-c", CODE],
        env={**os.environ, "FASTCOLLAPSE_SINGLE_LINK": single, "FASTCOLLAPSE_CACHE": str(tmp_path / single)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    enabled, *numbers = result.stdout.split()
    return enabled, numbers


def test_installed_numba__is_a_tested_version():
    assert numba.version_info.short in single_link.TESTED


def test_single_link__gives_the_bits_of_numba(tmp_path):
    enabled, got = run(tmp_path, "1")
    plain, expected = run(tmp_path, "0")
    assert (enabled, plain) == ("True", "False")
    assert len(expected) == 83
    assert got == expected
    assert run(tmp_path, "1") == ("True", expected)  # from the cache


def test_function_of_a_user__is_callable_beside_kernels():
    values = np.ones(4)
    doubles(values)
    np.testing.assert_array_equal(values, 8.0)
    assert add_three(1.0) == 4.0

    @numba.njit
    def outer(x):
        return double_of_sum(x) + np.zeros(2).sum() + add_three(x)

    assert outer(1.0) == 12.0
    assert double_of_sum(2.0) == 10.0


CACHED = """
import numba
import numpy as np

from fastcollapse.kernels.jit import kernel


@numba.njit
def part(x):
    return x + np.ones(2).sum()


@numba.njit(cache=True)
def cached(x):
    return 2 * part(x)


@kernel
def caller(x):
    return cached(x) + 1
"""


def test_function_of_a_user__may_have_its_own_cache(tmp_path):
    (tmp_path / "own.py").write_text(CACHED)
    code = "import own; print(own.caller(1.0), own.cached(1.0), sum(own.cached.stats.cache_hits.values()))"
    got = []
    for cache in ("a", "b"):  # the second time, the function is loaded and its caller is compiled
        environment = {**os.environ, "FASTCOLLAPSE_CACHE": str(tmp_path / cache)}
        command = [sys.executable, "-c", code]
        result = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
        got.append(result.stdout)
    assert got == ["7.0 6.0 0\n", "7.0 6.0 1\n"]


def test_kernel__has_python_interface_of_its_own():
    assert double_of_sum(1.0) == 8.0
    assert double_of_sum.entry.signatures
    assert kernel(add_three.py_func)(1.0) == 4.0


def test_function_that_is_not_linked__is_an_error(monkeypatch):
    @kernel
    def inner(x):
        return x + 1

    @kernel
    def outer(x):
        return inner(x)

    monkeypatch.setattr(single_link, "_reached", lambda library: [])
    with pytest.raises(RuntimeError, match=r"functions are not linked: .*inner"):
        outer(1)


def test_loop__becomes_machine_code_within_its_kernel_only(monkeypatch):
    monkeypatch.setattr(jit, "CACHE_ROOT", None)  # it is compiled, whatever another run has compiled

    @parallel_kernel
    def halves(values):
        for i in prange(values.shape[0]):
            values[i] *= 0.5

    made, finalize = [], single_link._Whole.finalize
    monkeypatch.setattr(single_link._Whole, "finalize", lambda self: made.append(self.name) or finalize(self))
    values = np.ones(4)
    halves(values)
    np.testing.assert_array_equal(values, 0.5)
    assert len(made) == 1
    assert made[0].endswith("halves")
