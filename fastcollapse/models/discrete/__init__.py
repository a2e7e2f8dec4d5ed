"""The discrete family: categorical distributions of symbols."""
