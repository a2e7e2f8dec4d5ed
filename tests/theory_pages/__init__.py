"""Formulas and examples of the pages in docs/explanation/theory."""
