"""Compiled kernels: random variates, counts, linear algebra, Gaussian laws and regressions."""
