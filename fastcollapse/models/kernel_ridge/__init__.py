"""The kernel ridge family: kernel regressions on real inputs."""
