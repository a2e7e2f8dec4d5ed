"""Panels: quantities of a run beside their theory, one file a family."""
