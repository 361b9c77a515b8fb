"""What a LoRA file changes in a model, from names and shapes alone: keys, spellings, algorithms, the match.

A spelling is a function from the shapes of a network to pairs of (stem in the file, layer of the network):
one file for each kind of network. An algorithm is a row of `algorithms.ALGORITHMS`, and a function of the
same name in `nodegraph.diffusion.loras` that makes the change.
"""

from nodegraph.modelfiles.loras.layers import LoraLayer
from nodegraph.modelfiles.loras.match import LoraMatch, match_lora
from nodegraph.modelfiles.loras.telling import is_lora

__all__ = ["LoraLayer", "LoraMatch", "is_lora", "match_lora"]
