"""Nodes that turn files into recipes."""
