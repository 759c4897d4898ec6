"""Poses over time: the type, choosing one person, and the file formats that hold them."""
