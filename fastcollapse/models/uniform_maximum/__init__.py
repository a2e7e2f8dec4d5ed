"""The maximum of uniform data."""
