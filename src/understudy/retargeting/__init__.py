"""From one person's poses to another's: alignment, and what the reference footage can support."""
