"""Every node of the built-in pack, in the order in which people meet them."""

from __future__ import annotations

from nodegraph_nodes.image.adjust import invert, resize
from nodegraph_nodes.image.files import load, preview, save
from nodegraph_nodes.latent.batch import from_batch
from nodegraph_nodes.latent.empty import empty
from nodegraph_nodes.latent.mask import set_mask
from nodegraph_nodes.latent.vae import decode, encode
from nodegraph_nodes.loaders.checkpoint import load_checkpoint
from nodegraph_nodes.loaders.lora import load_lora
from nodegraph_nodes.mask.make import from_image, invert_mask, rectangle
from nodegraph_nodes.sampling.sample import sample
from nodegraph_nodes.text.encode import encode_text

NODES: list[object] = [
    load_checkpoint,
    load_lora,
    encode_text,
    empty,
    encode,
    decode,
    set_mask,
    from_batch,
    sample,
    load,
    save,
    preview,
    resize,
    invert,
    rectangle,
    from_image,
    invert_mask,
]
