"""The training loop, stages, and what a run leaves on disk."""
