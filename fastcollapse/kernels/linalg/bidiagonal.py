"""Ridge regressions on an upper bidiagonal design B at many shifts: O(k) a shift, to the accuracy of QR.

With a the diagonal and b the entries above it, B^T B + shift = L D L^T has D_i = a_i^2 + s_i, s_1 = shift, s_{i+1} =
shift + b_i^2 s_i / D_i, and B B^T + shift has D_i = b_i^2 + p_i, p_i = shift + a_i^2 r_i, r_1 = 1, r_{i+1} = p_i / D_i.
Nothing is subtracted, so every pivot is good to a few roundings at any condition number, as in the differential qd
algorithm (K. V. Fernando and B. N. Parlett, Numer. Math. 67, 191 (1994)). The right-hand side B^T y is never formed:
only its remainder after the part that the factor cancels. So no condition number is squared, and the shift may be 0.
The shifts are the lanes of the vectors.
"""

from fastcollapse.kernels.jit import kernel
from fastcollapse.kernels.linalg.copies import copy_vector


@kernel
def factor_tall(diagonal, above, shifts, inverses, lifts):
    """Factor B^T B + shift, B (k, k): ``(k),(k),(L)->(k,L),(k,L)``, which are 1 / D and s; the last of `above` is 0."""
    k, n_shifts = inverses.shape
    copy_vector(shifts, lifts[0])
    for i in range(k):
        square, square_above = diagonal[i] * diagonal[i], above[i] * above[i]
        inverse, lift = inverses[i], lifts[i]
        for j in range(n_shifts):
            inverse[j] = 1.0 / (square + lift[j])
        if i < k - 1:
            following = lifts[i + 1]
            for j in range(n_shifts):
                following[j] = shifts[j] + square_above * (lift[j] * inverse[j])


@kernel
def solve_tall(diagonal, above, inverses, lifts, label, labels, carried, sums, out):
    """Solve (B^T B + shift) x = B^T y + (carried[0], 0, ...): ``(k),(k),(k,L),(k,L),(L),(k),(k,L)->(L),(L)``, O(k L).

    It has more than eight arguments, because a tuple of arrays made in the loop would count references.

    Parameters
    ----------
    diagonal, above : float64 (k), of B; the last of `above` is 0.
    inverses, lifts : float64 (k, L), from `factor_tall`.
    label : float64 (L), the first entry of y at each shift.
    labels : float64 (k), the others; the first one is not read.
    carried : float64 (k, L), overwritten; its first row is part of the right-hand side.
    sums : float64 (L), the sums of the squares of x without its first entry.
    out : float64 (L), that entry.
    """
    k, n_shifts = inverses.shape
    for i in range(k - 1):
        a, b, y = diagonal[i], above[i], labels[i]
        inverse, lift, carry, following = inverses[i], lifts[i], carried[i], carried[i + 1]
        if i == 0:
            for j in range(n_shifts):
                following[j] = b * inverse[j] * (lift[j] * label[j] - a * carry[j])
        else:
            for j in range(n_shifts):
                following[j] = b * inverse[j] * (lift[j] * y - a * carry[j])
    for j in range(n_shifts):
        sums[j] = 0.0
        out[j] = 0.0
    for i in range(k - 1, 0, -1):
        a, b, y = diagonal[i], above[i], labels[i]
        inverse, carry = inverses[i], carried[i]
        for j in range(n_shifts):
            out[j] = (carry[j] + a * (y - b * out[j])) * inverse[j]
        for j in range(n_shifts):
            sums[j] += out[j] * out[j]
    a, b = diagonal[0], above[0]
    inverse, carry = inverses[0], carried[0]
    for j in range(n_shifts):
        out[j] = (carry[j] + a * (label[j] - b * out[j])) * inverse[j]


@kernel
def factor_wide(diagonal, above, shifts, inverses, lifts):
    """Factor B B^T + shift, B (k, k + 1): ``(k),(k),(L)->(k,L),(k,L)``, which are 1 / D and r."""
    k, n_shifts = inverses.shape
    lifts[0] = 1.0
    for i in range(k):
        square, square_above = diagonal[i] * diagonal[i], above[i] * above[i]
        inverse, lift = inverses[i], lifts[i]
        for j in range(n_shifts):
            inverse[j] = 1.0 / (square_above + (shifts[j] + square * lift[j]))
        if i < k - 1:
            following = lifts[i + 1]
            for j in range(n_shifts):
                following[j] = (shifts[j] + square * lift[j]) * inverse[j]


@kernel
def solve_wide(diagonal, above, inverses, lifts, label, labels, carried, sums, out):
    """Write x = B^T (B B^T + shift)^-1 y as `solve_tall` does; no row of `carried` is read.

    It has more than eight arguments, because a tuple of arrays made in the loop would count references.
    """
    k, n_shifts = inverses.shape
    carried[0] = 0.0
    for i in range(k - 1):
        a, b, y = diagonal[i], above[i], labels[i]
        inverse, carry, following = inverses[i], carried[i], carried[i + 1]
        if i == 0:
            for j in range(n_shifts):
                following[j] = b * inverse[j] * label[j]
        else:
            for j in range(n_shifts):
                following[j] = b * inverse[j] * (y - a * carry[j])
    # `out` holds a_i u_i, where u solves the system of B B^T.
    for i in range(k - 1, -1, -1):
        a, b, y = diagonal[i], above[i], labels[i]
        inverse, carry, lift = inverses[i], carried[i], lifts[i]
        if i == k - 1:
            for j in range(n_shifts):
                out[j] = ((label[j] if k == 1 else y) - a * carry[j]) * inverse[j]
                sums[j] = b * b * out[j] * out[j]
        elif i == 0:
            for j in range(n_shifts):
                out[j] = (label[j] - b * out[j]) * inverse[j]
        else:
            for j in range(n_shifts):
                out[j] = (y - a * carry[j] - b * out[j]) * inverse[j]
        for j in range(n_shifts):
            out[j] *= a
        if i > 0:
            for j in range(n_shifts):
                entry = carry[j] + lift[j] * out[j]
                sums[j] += entry * entry
