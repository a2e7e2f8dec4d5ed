"""Profile of a run by the definitions of model collapse in use."""
