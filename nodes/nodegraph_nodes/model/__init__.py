"""Nodes that change a model without changing a weight."""
