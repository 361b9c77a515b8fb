"""Model files without torch: headers, families, the shapes of networks, LoRA key names.

A loader node needs to know what a file is, not what it weighs: everything here reads headers only, so it
may run in a process that never imports torch.
"""
