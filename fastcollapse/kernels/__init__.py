"""Compiled kernels: random variates, counts, linear algebra, Gaussian laws and regressions."""

from fastcollapse.kernels.numba_settings import import_numba

import_numba()  # before any kernel imports it
