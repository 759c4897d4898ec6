"""Frames and sound in and out of files."""
