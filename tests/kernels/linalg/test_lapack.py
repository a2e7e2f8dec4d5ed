"""LAPACK and BLAS called from kernels, against NumPy, in parallel loops and from cached code."""

import subprocess
import sys

import numpy as np
import pytest

from fastcollapse.kernels.jit import parallel_kernel, prange
from fastcollapse.kernels.linalg import lapack as linalg

pytestmark = pytest.mark.usefixtures("one_blas_thread")

SIZES = [1, 2, 5, 70]


def normal(*shape, seed=1):
    return np.random.default_rng(seed).normal(size=shape)


def with_garbage(matrix):
    """Return a copy with other values in the upper triangle, which must not be read."""
    return np.where(np.tri(len(matrix), dtype=bool), matrix, np.nan)


def positive(n):
    rows = normal(n, n + 3)
    return rows @ rows.T


def close(got, expected):
    np.testing.assert_allclose(got, expected, rtol=1e-9, atol=1e-9 * np.abs(expected).max())


@pytest.mark.parametrize("n", SIZES)
def test_cholesky__factors_and_solves(n):
    matrix, sides = positive(n), normal(n, 3)
    factor = with_garbage(matrix)
    assert linalg.potrf(factor) == 0
    lower = np.tril(factor)
    close(lower @ lower.T, matrix)
    for solve, system in (
        (linalg.potrs, matrix),
        (lambda factor, out: linalg.trsm(factor, False, out), lower),
        (lambda factor, out: linalg.trsm(factor, True, out), lower.T),
    ):
        out = sides.copy()
        solve(factor, out)
        close(system @ out, sides)


def test_potrf__reports_failing_pivot():
    assert linalg.potrf(np.array([[1.0, 2.0], [2.0, 1.0]])) == 2


@pytest.mark.parametrize("n", SIZES)
def test_triangular_product__equals_numpy(n):
    lower = np.tril(normal(n, n))
    out = with_garbage(lower)
    linalg.lauum(out)
    close(np.tril(out), np.tril(lower.T @ lower))


@pytest.mark.parametrize("n", SIZES)
def test_products__equal_numpy(n):
    a, b = normal(n, 4), normal(n, 6, seed=2)
    for transposed, expected in ((False, a @ a.T), (True, a.T @ a)):
        out = with_garbage(np.ones(expected.shape))
        linalg.syrk(2.0, a, transposed, 0.5, out)
        close(np.tril(out), np.tril(2 * expected + 0.5))
    for left in (False, True):
        for right in (False, True):
            out = np.ones((4, 6))
            linalg.gemm(2.0, *((a, True) if left else (a.T.copy(), False)),
                        *((b.T.copy(), True) if right else (b, False)), 0.5, out)  # fmt: skip
            close(out, 2 * a.T @ b + 0.5)
    x, out = normal(4), np.ones(n)
    linalg.gemv(2.0, a, False, x, 0.5, out)
    close(out, 2 * a @ x + 0.5)
    x, out = normal(n), np.ones(4)
    linalg.gemv(2.0, a, True, x, 0.0, out)
    close(out, 2 * a.T @ x)


@pytest.mark.parametrize("n", SIZES)
def test_sytrd__is_inverted_by_ormtr(n):
    matrix = positive(n)
    reflectors, work = with_garbage(matrix), np.empty(linalg.work_length(n, n))
    diagonal, off_diagonal, tau = np.empty(n), np.empty(n), np.empty(n)
    linalg.sytrd(reflectors, work, diagonal, off_diagonal, tau)
    off = off_diagonal[: n - 1]
    tridiagonal = np.diag(diagonal) + np.diag(off, 1) + np.diag(off, -1)
    q, q_transposed = np.eye(n), np.eye(n)
    linalg.ormtr(reflectors, tau, False, work, q)
    linalg.ormtr(reflectors, tau, True, work, q_transposed)
    close(q @ tridiagonal @ q.T, matrix)
    close(q_transposed, q.T)
    close(q @ q.T, np.eye(n))


@pytest.mark.parametrize("n", SIZES)
def test_syevd__returns_eigenvectors_in_rows(n):
    matrix = positive(n)
    rows, values = with_garbage(matrix), np.empty(n)
    assert linalg.syevd(rows, values) == 0
    assert (np.diff(values) >= 0).all()
    close((rows.T * values) @ rows, matrix)
    close(rows @ rows.T, np.eye(n))


@pytest.mark.parametrize("shape", [(1, 1), (5, 3), (3, 5), (70, 70), (90, 20)])
def test_gesdd__is_singular_value_decomposition(shape):
    matrix, k = normal(*shape), min(shape)
    left, values, right = np.empty((shape[0], k)), np.empty(k), np.empty((k, shape[1]))
    assert linalg.gesdd(matrix.copy(), left, values, right) == 0
    close((left * values) @ right, matrix)
    close(left.T @ left, np.eye(k))
    close(right @ right.T, np.eye(k))
    assert (np.diff(values) <= 0).all()


@parallel_kernel
def factor_all(matrices):
    for i in prange(matrices.shape[0]):
        linalg.potrf(matrices[i])


def test_routines__give_same_bits_in_parallel_loop():
    matrix = positive(60)
    matrices = np.stack([matrix * (1 + i) for i in range(40)])
    expected = matrices.copy()
    for one in expected:
        linalg.potrf(one)
    factor_all(matrices)
    np.testing.assert_array_equal(matrices, expected)


@pytest.mark.parametrize("wrong", [np.eye(3, 4).T, np.eye(6)[:3, :3], np.eye(3, dtype=np.float32)])
def test_routines__refuse_other_layouts(wrong):
    with pytest.raises(Exception, match="row-major contiguous arrays of float64"):
        linalg.potrf(wrong)


def test_routines__are_found_by_cached_code():
    code = (
        "import numpy as np\n"
        "from fastcollapse.kernels.linalg.lapack import potrf\n"
        "matrix = np.array([[4.0, 0.0], [2.0, 5.0]])\n"
        "print(potrf(matrix), matrix.tolist(), sum(potrf.entry.stats.cache_hits.values()))\n"
    )
    runs = [subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True) for _ in range(2)]
    assert runs[1].stdout == "0 [[2.0, 0.0], [1.0, 2.0]] 1\n"


def test_one_blas_thread__limits_blas_loaded_later():
    code = (
        "from fastcollapse.simulation import execute\n"
        "from fastcollapse.kernels.linalg.blas_threads import one_blas_thread\n"
        "with one_blas_thread():\n"
        "    pass\n"
        "import fastcollapse.kernels.linalg.lapack\n"
        "from threadpoolctl import threadpool_info\n"
        "with one_blas_thread():\n"
        "    found = [one['num_threads'] for one in threadpool_info() if one['user_api'] == 'blas']\n"
        "print(len(found), set(found))\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.endswith(" {1}\n")
