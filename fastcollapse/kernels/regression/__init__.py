"""Kernels of linear and kernel ridge regressions."""
