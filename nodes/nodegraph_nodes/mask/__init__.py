"""Nodes on masks."""
