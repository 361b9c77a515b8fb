"""LoRA files as overlays of weights: one algorithm a file, each a pure function from tensors to a change.

Which tensors belong to which weight is found in `nodegraph.modelfiles.loras`.
"""

from nodegraph.diffusion.loras.layer import DELTAS, lora_delta
from nodegraph.diffusion.loras.patch import LORA

__all__ = ["DELTAS", "LORA", "lora_delta"]
