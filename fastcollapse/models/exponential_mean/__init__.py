"""The sample mean of exponential data."""
