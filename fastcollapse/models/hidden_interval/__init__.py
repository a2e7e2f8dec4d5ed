"""A consistent maximum likelihood that a hidden interval makes collapse."""
