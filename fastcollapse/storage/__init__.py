"""Results on disk and in memory, and crash-safe writing (FORMAT.md)."""
