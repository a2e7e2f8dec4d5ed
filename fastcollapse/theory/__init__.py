"""Closed forms, bounds and exact laws of recursive training, one package for each topic.

`density` : kernel density estimates.
`discrete` : categorical distributions and Poisson rates.
`gaussian` : Gaussians and symmetric Gaussian mixtures.
`language` : n-gram models, and many contexts that are refitted independently.
`mixing` : fits that weigh real and synthetic data, windows and discounts; all regular families.
`regression` : least squares, minimum-norm and ridge regression.
`counterexamples` : estimators whose error grows in another way, and accumulation that collapses.

Each topic exports its functions: `from fastcollapse.theory.discrete import survival_bounds`. The command
`fastcollapse theory` lists, explains and evaluates them.
"""
