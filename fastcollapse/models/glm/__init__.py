"""Generalised linear models refitted to labels that they generate on fixed rows."""
