"""Nodes on prompts."""
