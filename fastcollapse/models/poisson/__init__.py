"""The Poisson family."""
