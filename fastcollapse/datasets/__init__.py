"""Readers of corpora, tables and arrays, and the data shipped with the project."""
