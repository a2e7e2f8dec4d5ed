"""The sample mean of alpha-stable data."""
