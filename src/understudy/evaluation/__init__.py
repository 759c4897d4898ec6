"""Numbers and pictures that tell how good a clone is."""
