"""From the tensors of a component to the live object that nodes use."""

from __future__ import annotations

import pkgutil
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor

from nodegraph.diffusion.autoencoder import LiveAutoencoder
from nodegraph.diffusion.nets.vae import AutoencoderKL
from nodegraph.diffusion.weights import assign
from nodegraph.errors import ModelFileError
from nodegraph.modelfiles.configs import ClipTextConfig, VaeConfig
from nodegraph.modelfiles.families import Checkpoint
from nodegraph.modelfiles.safetensors_header import Header
from nodegraph.runtime import LiveDenoiser
from nodegraph.values import Model, TextEncoder

if TYPE_CHECKING:
    from nodegraph.diffusion.text.clip import ClipTextEncoder
    from nodegraph.diffusion.text.tokenizer import ClipTokenizer, TextTokenizer

TokenizerSource = Callable[[Header, int], "TextTokenizer"]
"""Where a checkpoint's tokenizer comes from: (header, chunk length) -> tokenizer."""


class Source(NamedTuple):
    """What a live object is made of: the file's header, what the file is, and the component's tensors."""

    header: Header
    checkpoint: Checkpoint
    tensors: Mapping[str, Tensor]


def build_denoiser(recipe: Model, source: Source) -> LiveDenoiser:
    """The network of a checkpoint as a denoiser, with the prediction type and the schedule of the recipe."""
    checkpoint = source.checkpoint
    network = pkgutil.resolve_name(checkpoint.network)
    with torch.device("meta"):
        net = network(checkpoint.nets["denoiser"])
    ready = assign(net, source.tensors, source.header)
    live: LiveDenoiser = pkgutil.resolve_name(checkpoint.denoiser)(ready, recipe, checkpoint)
    return live


def build_text_encoder(recipe: TextEncoder, tokenizers: TokenizerSource, source: Source) -> ClipTextEncoder:
    """The CLIP text encoder of a checkpoint with its tokenizer."""
    from nodegraph.diffusion.text.clip import ClipTextEncoder, load_clip  # brings transformers along

    config = source.checkpoint.config("clip_l", ClipTextConfig)
    tokenizer = tokenizers(source.header, config.positions)
    if tokenizer.vocabulary_size > config.vocabulary:
        raise ModelFileError(
            f"the tokenizer of {source.header.path} does not fit its text encoder",
            code="tokenizer_damaged",
            expected=f"at most {config.vocabulary} tokens",
            found=f"{tokenizer.vocabulary_size} tokens",
        )
    model = load_clip(config, source.tensors, source.header, recipe.layers_skipped)
    return ClipTextEncoder(model, tokenizer)


def build_vae(source: Source) -> LiveAutoencoder:
    """The autoencoder of a checkpoint."""
    with torch.device("meta"):
        vae = AutoencoderKL(source.checkpoint.config("vae", VaeConfig))
    return LiveAutoencoder(assign(vae, source.tensors, source.header))


def tokenizer_of_file(header: Header, length: int) -> ClipTokenizer:
    """The tokenizer in the checkpoint's own metadata. ModelFileError where there is none."""
    from nodegraph.diffusion.text.tokenizer import tokenizer_from_metadata

    return tokenizer_from_metadata(header.metadata, header.path, length)
