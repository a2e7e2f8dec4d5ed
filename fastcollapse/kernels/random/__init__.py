"""Counter-based random streams and the variates drawn from them."""
