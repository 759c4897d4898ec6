"""Many performances in one go: what is asked for, what came of it, and the processes that work through it."""
