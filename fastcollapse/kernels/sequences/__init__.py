"""Walks over the contexts of an n-gram table."""
