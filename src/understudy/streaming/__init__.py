"""A person before a camera, an actor that does the same at once."""
