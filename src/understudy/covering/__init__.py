"""Coverage: which moves the footage supports, and what to film for the others."""
