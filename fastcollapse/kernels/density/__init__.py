"""Sums of normal kernels over points, their draws and their moments."""
