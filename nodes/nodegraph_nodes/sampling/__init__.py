"""The sampler node and its choices."""
