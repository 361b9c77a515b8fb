"""Nodes on latents."""
