"""Symmetric positive definite tridiagonal systems with many shifts, which are the lanes of the vectors."""

from fastcollapse.kernels.jit import kernel


@kernel
def factor_shifted(diagonal, off_diagonal, shifts, ratios, inverses):
    """Factor T + shift = L D L^T for every shift: ``(n),(n),(L)->(n,L),(n,L)``, O(n L).

    `ratios`[i] is L[i + 1, i], `inverses` is 1 / D. Entries of `off_diagonal` from n - 1 on are not read.
    """
    n, n_shifts = inverses.shape
    for i in range(n):
        inverse, entry = inverses[i], diagonal[i]
        if i == 0:
            for k in range(n_shifts):
                inverse[k] = 1.0 / (entry + shifts[k])
        else:
            off, before = off_diagonal[i - 1], ratios[i - 1]
            for k in range(n_shifts):
                inverse[k] = 1.0 / ((entry + shifts[k]) - off * before[k])
        if i < n - 1:
            off, ratio = off_diagonal[i], ratios[i]
            for k in range(n_shifts):
                ratio[k] = off * inverse[k]


@kernel
def solve_factored(ratios, inverses, out):
    """Solve (T + shift) x = `out` in place, r right-hand sides for each shift: ``(n,L),(n,L)->(n,r*L)``, O(n r L)."""
    n, n_shifts = inverses.shape
    for start in range(0, out.shape[1], n_shifts):
        for i in range(1, n):
            ratio, before, row = ratios[i - 1], out[i - 1, start:], out[i, start:]
            for k in range(n_shifts):
                row[k] -= ratio[k] * before[k]
        for i in range(n - 1, -1, -1):
            inverse, row = inverses[i], out[i, start:]
            for k in range(n_shifts):
                row[k] *= inverse[k]
            if i < n - 1:
                ratio, after = ratios[i], out[i + 1, start:]
                for k in range(n_shifts):
                    row[k] -= ratio[k] * after[k]


@kernel
def multiply_tridiagonal(diagonal, off_diagonal, x, out):
    """Write T x: ``(n),(n),(n)->(n)``."""
    n = x.shape[0]
    for i in range(n):
        out[i] = diagonal[i] * x[i]
    for i in range(n - 1):
        out[i] += off_diagonal[i] * x[i + 1]
        out[i + 1] += off_diagonal[i] * x[i]


@kernel
def row_bound(diagonal, off_diagonal):
    """Return the largest row sum of magnitudes, an upper bound of the norm of T: ``(n),(n)->()``."""
    n = diagonal.shape[0]
    bound = 0.0
    for i in range(n):
        total = abs(diagonal[i])
        if i > 0:
            total += abs(off_diagonal[i - 1])
        if i < n - 1:
            total += abs(off_diagonal[i])
        bound = max(bound, total)
    return bound


@kernel
def is_above(diagonal, off_diagonal, level):
    """Whether every eigenvalue is above `level`: all pivots of T - level are positive (Sylvester)."""
    pivot = 1.0
    for i in range(diagonal.shape[0]):
        off = off_diagonal[i - 1] if i > 0 else 0.0
        pivot = (diagonal[i] - level) - off * off / pivot
        if not pivot > 0.0:
            return False
    return True
