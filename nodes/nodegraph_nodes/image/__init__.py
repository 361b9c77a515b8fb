"""Nodes on pictures."""
