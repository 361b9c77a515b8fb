"""Every built-in node as a function, named like its id: the short path for workflows written in Python."""

from __future__ import annotations

from nodegraph_nodes.conditioning.bring import add_reference as conditioning_add_reference
from nodegraph_nodes.conditioning.bring import set_guidance as conditioning_set_guidance
from nodegraph_nodes.conditioning.bring import set_picture as conditioning_set_picture
from nodegraph_nodes.image.adjust import invert as image_invert
from nodegraph_nodes.image.adjust import resize as image_resize
from nodegraph_nodes.image.batch import batch as image_batch
from nodegraph_nodes.image.batch import join as image_join
from nodegraph_nodes.image.files import load as image_load
from nodegraph_nodes.image.files import preview as image_preview
from nodegraph_nodes.image.files import save as image_save
from nodegraph_nodes.latent.batch import from_batch as latent_from_batch
from nodegraph_nodes.latent.empty import empty as latent_empty
from nodegraph_nodes.latent.mask import set_mask as latent_set_mask
from nodegraph_nodes.latent.vae import decode as vae_decode
from nodegraph_nodes.latent.vae import decode_tiled as vae_decode_tiled
from nodegraph_nodes.latent.vae import encode as vae_encode
from nodegraph_nodes.latent.vae import encode_tiled as vae_encode_tiled
from nodegraph_nodes.loaders.checkpoint import load_checkpoint
from nodegraph_nodes.loaders.lora import load_lora
from nodegraph_nodes.logic.branch import choose as logic_if
from nodegraph_nodes.logic.branch import select as logic_select
from nodegraph_nodes.logic.branch import switch as logic_switch
from nodegraph_nodes.logic.lists import broadcast as list_broadcast
from nodegraph_nodes.logic.lists import get as list_get
from nodegraph_nodes.logic.lists import join as list_join
from nodegraph_nodes.logic.lists import length as list_length
from nodegraph_nodes.logic.lists import make as list_make
from nodegraph_nodes.logic.lists import product as list_product
from nodegraph_nodes.logic.lists import repeat as list_repeat
from nodegraph_nodes.logic.lists import side_by_side as list_zip
from nodegraph_nodes.logic.loops import fold as logic_fold
from nodegraph_nodes.logic.loops import for_each as logic_for_each
from nodegraph_nodes.logic.loops import repeat as logic_repeat
from nodegraph_nodes.logic.loops import repeat_while as logic_while
from nodegraph_nodes.logic.values import boolean as value_boolean
from nodegraph_nodes.logic.values import calculate as math_calculate
from nodegraph_nodes.logic.values import compare as logic_compare
from nodegraph_nodes.logic.values import integer as value_integer
from nodegraph_nodes.logic.values import number as value_number
from nodegraph_nodes.logic.values import number_range as value_range
from nodegraph_nodes.logic.values import text as value_text
from nodegraph_nodes.mask.make import from_image as mask_from_image
from nodegraph_nodes.mask.make import invert_mask as mask_invert
from nodegraph_nodes.mask.make import rectangle as mask_rectangle
from nodegraph_nodes.sampling.sample import sample
from nodegraph_nodes.text.encode import encode_text as text_encode

__all__ = [
    "conditioning_add_reference", "conditioning_set_guidance", "conditioning_set_picture",
    "image_batch", "image_invert", "image_join", "image_load", "image_preview", "image_resize",
    "image_save", "latent_empty", "latent_from_batch", "latent_set_mask", "list_broadcast", "list_get",
    "list_join", "list_length", "list_make", "list_product", "list_repeat", "list_zip", "load_checkpoint",
    "load_lora", "logic_compare", "logic_fold", "logic_for_each", "logic_if", "logic_repeat",
    "logic_select", "logic_switch", "logic_while", "mask_from_image", "mask_invert", "mask_rectangle",
    "math_calculate", "sample", "text_encode", "vae_decode", "vae_decode_tiled",
    "vae_encode", "vae_encode_tiled", "value_boolean",
    "value_integer", "value_number", "value_range", "value_text",
]  # fmt: skip
