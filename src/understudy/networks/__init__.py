"""Plain modules with few arguments; a recipe wires them."""
