"""Poses of other people, in bulk."""
