"""The mixture family: symmetric mixtures of two Gaussian laws."""
