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
from nodegraph.modelfiles.configs import ClipTextConfig, T5Config, VaeConfig
from nodegraph.modelfiles.families import Checkpoint, Encoder
from nodegraph.modelfiles.safetensors_header import Header
from nodegraph.runtime import LiveDenoiser
from nodegraph.values import Model

if TYPE_CHECKING:
    from nodegraph.diffusion.text.parts import Part
    from nodegraph.diffusion.text.t5_tokenizer import T5Tokenizer
    from nodegraph.diffusion.text.tokenizer import ClipTokenizer, TextTokenizer

TokenizerSource = Callable[[Header, int], "TextTokenizer"]
"""Where a checkpoint's tokenizer comes from: (header, chunk length) -> tokenizer."""

T5TokenizerSource = Callable[[Header], "T5Tokenizer"]


class Tokenizers(NamedTuple):
    """Where the tokenizers come from."""

    clip: TokenizerSource
    t5: T5TokenizerSource


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


def build_text_part(
    encoder: Encoder, layers_skipped: int | None, tokenizers: Tokenizers, source: Source
) -> Part:
    """One text encoder of a file with its tokenizer, giving what the family's declaration says.

    layers_skipped: of CLIP, instead of those that the declaration skips. ModelFileError: the tokenizer is
    missing or does not fit. InputError: there are not that many layers.
    """
    if encoder.component == "t5xxl":
        from nodegraph.diffusion.text.t5 import T5Part, load_t5

        config = source.checkpoint.config(encoder.component, T5Config)
        t5 = load_t5(config, source.tensors, source.header)
        return T5Part(t5, tokenizers.t5(source.header), encoder.length)
    return _clip_part(
        encoder, -1 - encoder.layer if layers_skipped is None else layers_skipped, tokenizers, source
    )


def _clip_part(encoder: Encoder, skipped: int, tokenizers: Tokenizers, source: Source) -> Part:
    from nodegraph.diffusion.text.clip import ClipPart, check_skip, load_clip  # brings transformers along

    config = source.checkpoint.config(encoder.component, ClipTextConfig)
    tokenizer = tokenizers.clip(source.header, config.positions)
    if tokenizer.vocabulary_size > config.vocabulary:
        raise ModelFileError(
            f"the tokenizer of {source.header.path} does not fit its text encoder",
            code="tokenizer_damaged",
            expected=f"at most {config.vocabulary} tokens",
            found=f"{tokenizer.vocabulary_size} tokens",
        )
    check_skip(config, skipped)
    # The pooled vector is made of the last layer; where it is not wanted, skipped layers need not be run.
    left_out, behind = (0, skipped) if encoder.pooled else (skipped, 0)
    model = load_clip(
        config, source.tensors, source.header, left_out,
        projected=encoder.pooled and encoder.component != "clip_l",  # CLIP-L's is used as it is
    )  # fmt: skip
    return ClipPart(model, tokenizer, encoder, behind)


def build_vae(source: Source) -> LiveAutoencoder:
    """The autoencoder of a checkpoint."""
    with torch.device("meta"):
        vae = AutoencoderKL(source.checkpoint.config("vae", VaeConfig))
    return LiveAutoencoder(assign(vae, source.tensors, source.header))


def tokenizer_of_file(header: Header, length: int) -> ClipTokenizer:
    """The tokenizer in the checkpoint's own metadata. ModelFileError where there is none."""
    from nodegraph.diffusion.text.tokenizer import tokenizer_from_metadata

    return tokenizer_from_metadata(header.metadata, header.path, length)


def t5_tokenizer_beside(header: Header) -> T5Tokenizer:
    """T5's tokenizer in the file's folder. ModelFileError where there is none."""
    from nodegraph.diffusion.text.tokenizer_files import t5_tokenizer_source

    return t5_tokenizer_source((), cached=lambda: None, download=lambda: None)(header)
