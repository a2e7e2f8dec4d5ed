"""Draws of points several generations later by the genealogy of their ancestors, exact in law."""

import math

import numpy as np

from fastcollapse.kernels.jit import kernel, parallel_kernel, prange
from fastcollapse.kernels.random.streams import (
    PURPOSE_SYNTHETIC,
    STREAM_WORDS,
    generation_stream,
    uniform_below,
)
from fastcollapse.kernels.random.ziggurat import ziggurat

_SYNTHETIC = np.uint64(PURPOSE_SYNTHETIC)


@kernel
def _trace(sizes, squares, n, lineages, nodes, stream):
    """Trace n points back to generation 0 of `sizes`; return the numbers of lineages there and of nodes.

    Nodes 0..n-1 are the points, and a later node is a common ancestor of nodes before it. Lineages that choose the same
    point merge.

    Parameters
    ----------
    lineages : node, variance since the node and last choice of each lineage, and the claims of the points: work space.
    nodes : parent and variance of the branch to it, of each node but those of the last lineages.
    """
    node, gap, choice, claims = lineages
    parent, branch = nodes
    for i in range(n):
        node[i], gap[i] = i, 0.0
    for j in range(claims.shape[0]):
        claims[j] = -1
    n_lineages, n_nodes, base = n, n, 0
    for k in range(sizes.shape[0] - 1, -1, -1):
        if n_lineages == 1 and k > 0:
            gap[0] += squares[k]
            continue
        first_new, count = n_nodes, 0
        for a in range(n_lineages):
            j = uniform_below(sizes[k], stream)
            own, square = node[a], gap[a] + squares[k]
            b = claims[j] - base
            if b < 0:
                claims[j] = base + count
                node[count], gap[count], choice[count] = own, square, j
                count += 1
                continue
            if node[b] < first_new:
                parent[node[b]], branch[node[b]] = n_nodes, gap[b]
                node[b], gap[b] = n_nodes, 0.0
                n_nodes += 1
            parent[own], branch[own] = node[b], square
        n_lineages = count
        base += n  # claims of this generation are below it
    return n_lineages, n_nodes


@kernel
def _place(origin, square, normals, stream, out):
    """Write a point that is a normal step of variance `square` away from another one."""
    scale = math.sqrt(square)
    for k in range(out.shape[0]):
        out[k] = origin[k] + (scale * ziggurat(normals, stream) if square > 0.0 else 0.0)


@parallel_kernel
def draw_descendants(points, sizes, squares, n_drawn, generation, span, normals, out):
    """Draw n points of workflow replace, some generations after `points`: ``(R,N,d),(l),(l)->(R,n,d)``.

    Each point chooses its ancestor in one generation after the other, backwards. Points of a common ancestor share its
    branch, and a branch has the variance of its steps. With N points a generation, n = N and l generations that is
    O(N sum_k min(1, 2/k) + N d), k = 1..l, instead of O(N l d); N^2 ln N at most for many generations.

    Parameters
    ----------
    points : of the first generation, of which the first sizes[0] are in use.
    sizes : number of points of the l generations before the one that is drawn, the first one first.
    squares : float64 (l), squared bandwidth of each of them.
    generation : the generation that is drawn.
    span : `Span`, of which the seed, the first replicate and the number of threads are used.
    normals : ziggurat table of the normal law.
    """
    n, d, most = np.int64(n_drawn), out.shape[2], sizes.max()
    for thread in prange(span.n_threads):
        stream = np.empty(STREAM_WORDS, np.uint64)
        node, gap, choice, claims = np.empty(n, np.int64), np.empty(n), np.empty(n, np.int64), np.empty(most, np.int64)
        parent, branch, ancestors = np.empty(2 * n, np.int64), np.empty(2 * n), np.empty((n, d))
        for replicate in range(thread, out.shape[0], span.n_threads):
            generation_stream(span, np.int64(replicate), generation, _SYNTHETIC, stream)
            for i in range(2 * n):
                parent[i] = -1
            n_lineages, n_nodes = _trace(sizes, squares, n, (node, gap, choice, claims), (parent, branch), stream)
            for a in range(n_lineages):
                v = node[a]
                target = out[replicate, v] if v < n else ancestors[v - n]
                _place(points[replicate, choice[a]], gap[a], normals, stream, target)
            for v in range(n_nodes - 1, -1, -1):
                if parent[v] >= 0:
                    target = out[replicate, v] if v < n else ancestors[v - n]
                    _place(ancestors[parent[v] - n], branch[v], normals, stream, target)
