"""From poses to the tensors that condition a generator, drawn on the device."""
