"""The kernel density family: density estimates with normal kernels, refitted to points that they generate."""
