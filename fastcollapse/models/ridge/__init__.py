"""The ridge family: linear regressions with or without a ridge."""
