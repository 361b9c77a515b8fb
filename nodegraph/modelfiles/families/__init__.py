"""What a model file is: family, components, prediction and shapes, from names and shapes alone.

A family is one file here that declares a `Family`, and one entry in `table.FAMILIES`; a plugin returns its
own from the hook `register_model_families`. To add one (say, a transformer):

1. A frozen config of the network in `modelfiles.configs` (or beside it), and a function from the denoiser's
   shapes to that config, which raises KeyError or ValueError where the tensors make no network.
2. The network in `nodegraph.diffusion.nets`, a class that is called with the config and has it as `.config`.
   The declaration names it as text (`"nodegraph.diffusion.nets.mmdit:MMDiT"`): nothing here loads torch.
   Likewise the function that makes a live denoiser of (network, recipe, checkpoint), as
   `nodegraph.diffusion.unet_denoiser` does.
3. The declaration: `detect` gets the denoiser's tensors by their original names without prefix; `tell` is
   `telling.tell` unless prediction or variant hide in a tensor's values; schedule, latent format, text
   encoders with their prefixes, sampling defaults, variants.
4. If the family has a diffusers layout: a function from diffusers' names to original ones in
   `modelfiles.layouts`, which makes `TensorSource`s (joined, cut or swapped tensors).
5. Remove the family's name from `modelfiles.other_families`.
"""

from nodegraph.modelfiles.families.detect import TOKENIZER_KEYS, component_names, component_shapes, inspect
from nodegraph.modelfiles.families.family import (
    TEXT_ENCODERS,
    TITLES,
    Checkpoint,
    Defaults,
    Encoder,
    Family,
    Told,
    Variant,
)
from nodegraph.modelfiles.families.table import FAMILIES

__all__ = [
    "FAMILIES",
    "TEXT_ENCODERS",
    "TITLES",
    "TOKENIZER_KEYS",
    "Checkpoint",
    "Defaults",
    "Encoder",
    "Family",
    "Told",
    "Variant",
    "component_names",
    "component_shapes",
    "inspect",
]
