"""The n-gram family: counts of the n-grams of a text, refitted to sentences drawn from the last counts."""
