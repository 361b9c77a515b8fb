"""Every built-in node as a function, named like its id: the short path for workflows written in Python."""

from __future__ import annotations

from nodegraph_nodes.conditioning.bring import add_reference as conditioning_add_reference
from nodegraph_nodes.conditioning.bring import set_guidance as conditioning_set_guidance
from nodegraph_nodes.conditioning.bring import set_picture as conditioning_set_picture
from nodegraph_nodes.conditioning.join import average as conditioning_average
from nodegraph_nodes.conditioning.join import combine as conditioning_combine
from nodegraph_nodes.conditioning.join import concat as conditioning_concat
from nodegraph_nodes.conditioning.join import zero_out as conditioning_zero_out
from nodegraph_nodes.conditioning.limit import set_area as conditioning_set_area
from nodegraph_nodes.conditioning.limit import set_area_fraction as conditioning_set_area_fraction
from nodegraph_nodes.conditioning.limit import set_mask as conditioning_set_mask
from nodegraph_nodes.conditioning.limit import set_time_range as conditioning_set_time_range
from nodegraph_nodes.conditioning.sizes import set_aesthetic as conditioning_set_aesthetic
from nodegraph_nodes.conditioning.sizes import set_sizes as conditioning_set_sizes
from nodegraph_nodes.image.adjust import invert as image_invert
from nodegraph_nodes.image.adjust import resize as image_resize
from nodegraph_nodes.image.batch import batch as image_batch
from nodegraph_nodes.image.batch import join as image_join
from nodegraph_nodes.image.files import load as image_load
from nodegraph_nodes.image.files import preview as image_preview
from nodegraph_nodes.image.files import save as image_save
from nodegraph_nodes.inspection.node import inspect_value as value_inspect
from nodegraph_nodes.latent.batch import from_batch as latent_from_batch
from nodegraph_nodes.latent.empty import empty as latent_empty
from nodegraph_nodes.latent.mask import set_mask as latent_set_mask
from nodegraph_nodes.latent.vae import decode as vae_decode
from nodegraph_nodes.latent.vae import decode_tiled as vae_decode_tiled
from nodegraph_nodes.latent.vae import encode as vae_encode
from nodegraph_nodes.latent.vae import encode_tiled as vae_encode_tiled
from nodegraph_nodes.loaders.checkpoint import load_checkpoint
from nodegraph_nodes.loaders.diffusers import load_diffusers
from nodegraph_nodes.loaders.embedding import load_embedding
from nodegraph_nodes.loaders.lora import load_lora, load_model_lora
from nodegraph_nodes.loaders.parts import load_denoiser, load_vae
from nodegraph_nodes.loaders.text_encoders import load_text_encoders
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
from nodegraph_nodes.model.guidance import cfg_zero_star as model_cfg_zero_star
from nodegraph_nodes.model.guidance import freeu as model_freeu
from nodegraph_nodes.model.guidance import limit_norm as model_limit_norm
from nodegraph_nodes.model.guidance import perturbed_attention as model_perturbed_attention
from nodegraph_nodes.model.guidance import rescale_cfg as model_rescale_cfg
from nodegraph_nodes.model.guidance import skip_layers as model_skip_layers
from nodegraph_nodes.sampling.custom import sample_advanced, sample_custom
from nodegraph_nodes.sampling.parts import basic_guider as guider_basic
from nodegraph_nodes.sampling.parts import cfg_guider as guider_cfg
from nodegraph_nodes.sampling.parts import dual_cfg_guider as guider_dual_cfg
from nodegraph_nodes.sampling.parts import no_noise as noise_none
from nodegraph_nodes.sampling.parts import random_noise as noise_random
from nodegraph_nodes.sampling.parts import select_sampler as sampler_select
from nodegraph_nodes.sampling.sample import sample
from nodegraph_nodes.sampling.sigmas import flip as sigmas_flip
from nodegraph_nodes.sampling.sigmas import from_list as sigmas_from_list
from nodegraph_nodes.sampling.sigmas import from_text as sigmas_from_text
from nodegraph_nodes.sampling.sigmas import plot as sigmas_plot
from nodegraph_nodes.sampling.sigmas import schedule as sigmas_schedule
from nodegraph_nodes.sampling.sigmas import split as sigmas_split
from nodegraph_nodes.sampling.sigmas import split_denoise as sigmas_split_denoise
from nodegraph_nodes.text.clip_skip import clip_skip as text_clip_skip
from nodegraph_nodes.text.encode import encode_text as text_encode

__all__ = [
    "conditioning_add_reference", "conditioning_average", "conditioning_combine", "conditioning_concat",
    "conditioning_set_aesthetic",
    "conditioning_set_area", "conditioning_set_area_fraction", "conditioning_set_guidance",
    "conditioning_set_mask", "conditioning_set_picture", "conditioning_set_sizes",
    "conditioning_set_time_range",
    "conditioning_zero_out", "guider_basic", "guider_cfg", "guider_dual_cfg", "image_batch",
    "image_invert", "image_join", "image_load", "image_preview", "image_resize", "image_save",
    "latent_empty", "latent_from_batch", "latent_set_mask", "list_broadcast", "list_get", "list_join",
    "list_length", "list_make", "list_product", "list_repeat", "list_zip", "load_checkpoint",
    "load_denoiser", "load_diffusers", "load_embedding", "load_lora", "load_model_lora",
    "load_text_encoders", "load_vae", "logic_compare",
    "logic_fold", "logic_for_each", "logic_if", "logic_repeat", "logic_select", "logic_switch",
    "logic_while", "mask_from_image", "mask_invert", "mask_rectangle", "math_calculate",
    "model_cfg_zero_star", "model_freeu", "model_limit_norm", "model_perturbed_attention",
    "model_rescale_cfg", "model_skip_layers", "noise_none", "noise_random", "sample", "sample_advanced",
    "sample_custom", "sampler_select", "sigmas_flip", "sigmas_from_list", "sigmas_from_text",
    "sigmas_plot", "sigmas_schedule", "sigmas_split", "sigmas_split_denoise", "text_clip_skip",
    "text_encode", "vae_decode", "vae_decode_tiled", "vae_encode", "vae_encode_tiled", "value_boolean",
    "value_inspect", "value_integer", "value_number", "value_range", "value_text",
]  # fmt: skip
