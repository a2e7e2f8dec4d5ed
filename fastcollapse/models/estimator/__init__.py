"""The estimator family: any object with `fit` and `sample`, refitted to points that it generates."""
