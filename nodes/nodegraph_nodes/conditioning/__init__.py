"""Nodes that join conditioning and say where, when and how strongly it counts."""
