"""Python interface: what a script or a notebook calls. The package exports its names."""
