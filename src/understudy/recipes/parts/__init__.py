"""Parts that recipes are made of. A file in the folder above is a recipe; here, none is."""
