"""Kernels that refit Gaussian laws, in one dimension and in d dimensions."""
