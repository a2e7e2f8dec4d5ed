"""Kernels for count spectra: numbers of symbols by count, without an array over symbols."""
