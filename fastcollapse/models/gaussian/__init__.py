"""The Gaussian family, in one dimension and in d dimensions."""
