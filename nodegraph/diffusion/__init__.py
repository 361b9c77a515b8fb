"""The diffusion library: networks, text, schedules, samplers, LoRA, and the store of live weights.

It knows tensors and files, and nothing of graphs or nodes.
"""
