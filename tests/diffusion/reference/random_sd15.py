"""Write a full-size SD 1.5 file with random weights, and a LoRA for it; always the same ones.

`python -m tests.diffusion.reference.random_sd15 FOLDER` writes `sd15_random.safetensors` (2.1 GB, float16,
the original key names) and `lora_random.safetensors` (rank 8, kohya's key names), with torch 2.13 on a CPU.
What they draw is noise; sizes, speed and arithmetic are those of the real model, and latents that another
program computed on the same file can be compared with (README.md beside this file).
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

CHECKPOINT, LORA = "sd15_random.safetensors", "lora_random.safetensors"

CONTEXT, TIME = 768, 1280
UNET_WIDTHS, VAE_WIDTHS = (320, 640, 1280, 1280), (128, 256, 512, 512)
RANK = 8


class Draws:
    """Named tensors, drawn in the order in which they are asked for from one pool of normal values.

    The pool makes gigabytes of noise cheap: each tensor is a window into it at a drawn offset, repeated
    where it is larger.
    """

    def __init__(self, seed: int) -> None:
        self.tensors: dict[str, Tensor] = {}
        self._generator = torch.Generator().manual_seed(seed)
        self._pool = torch.randn(1 << 24, generator=self._generator).half()

    def weight(self, name: str, *shape: int, bias: bool = True, deviation: float | None = None) -> None:
        """`name`.weight, by default with a gain of 0.7, and a bias of zeros."""
        count = math.prod(shape)
        start = int(torch.randint(0, 1 << 20, (1,), generator=self._generator))
        copies = -(-(count + start) // self._pool.numel())
        values = self._pool.repeat(copies)[start : start + count]
        scale = 0.7 * math.prod(shape[1:]) ** -0.5 if deviation is None else deviation
        self.tensors[f"{name}.weight"] = (values * scale).reshape(shape).contiguous()
        if bias:
            self.tensors[f"{name}.bias"] = torch.zeros(shape[0], dtype=torch.float16)

    def norm(self, name: str, width: int) -> None:
        """A normalisation that changes nothing."""
        self.tensors[f"{name}.weight"] = torch.ones(width, dtype=torch.float16)
        self.tensors[f"{name}.bias"] = torch.zeros(width, dtype=torch.float16)


def draw_unet(draws: Draws, prefix: str = "model.diffusion_model.") -> None:
    """The denoiser: four levels of two residual blocks, attention in the first three."""
    first, attended = UNET_WIDTHS[0], len(UNET_WIDTHS) - 1
    draws.weight(f"{prefix}time_embed.0", TIME, first)
    draws.weight(f"{prefix}time_embed.2", TIME, TIME)
    draws.weight(f"{prefix}input_blocks.0.0", first, 4, 3, 3)
    skips, width, block = [first], first, 1
    for level, wide in enumerate(UNET_WIDTHS):
        for _ in range(2):
            _unet_residual(draws, f"{prefix}input_blocks.{block}.0", width, wide)
            width = wide
            if level < attended:
                _transformer(draws, f"{prefix}input_blocks.{block}.1", width)
            skips.append(width)
            block += 1
        if level < attended:
            draws.weight(f"{prefix}input_blocks.{block}.0.op", width, width, 3, 3)
            skips.append(width)
            block += 1
    _unet_residual(draws, f"{prefix}middle_block.0", width, width)
    _transformer(draws, f"{prefix}middle_block.1", width)
    _unet_residual(draws, f"{prefix}middle_block.2", width, width)
    block = 0
    for level, wide in reversed(list(enumerate(UNET_WIDTHS))):
        for turn in range(3):
            _unet_residual(draws, f"{prefix}output_blocks.{block}.0", width + skips.pop(), wide)
            width = wide
            if level < attended:
                _transformer(draws, f"{prefix}output_blocks.{block}.1", width)
            if level and turn == 2:
                place = 2 if level < attended else 1
                draws.weight(f"{prefix}output_blocks.{block}.{place}.conv", width, width, 3, 3)
            block += 1
    draws.norm(f"{prefix}out.0", first)
    draws.weight(f"{prefix}out.2", 4, first, 3, 3)


def _unet_residual(draws: Draws, name: str, narrow: int, wide: int) -> None:
    draws.norm(f"{name}.in_layers.0", narrow)
    draws.weight(f"{name}.in_layers.2", wide, narrow, 3, 3)
    draws.weight(f"{name}.emb_layers.1", wide, TIME)
    draws.norm(f"{name}.out_layers.0", wide)
    draws.weight(f"{name}.out_layers.3", wide, wide, 3, 3)
    if narrow != wide:
        draws.weight(f"{name}.skip_connection", wide, narrow, 1, 1)


def _transformer(draws: Draws, name: str, width: int) -> None:
    draws.norm(f"{name}.norm", width)
    draws.weight(f"{name}.proj_in", width, width, 1, 1)
    block = f"{name}.transformer_blocks.0"
    for attention, source in (("attn1", width), ("attn2", CONTEXT)):
        draws.weight(f"{block}.{attention}.to_q", width, width, bias=False)
        draws.weight(f"{block}.{attention}.to_k", width, source, bias=False)
        draws.weight(f"{block}.{attention}.to_v", width, source, bias=False)
        draws.weight(f"{block}.{attention}.to_out.0", width, width)
    draws.weight(f"{block}.ff.net.0.proj", 8 * width, width)
    draws.weight(f"{block}.ff.net.2", width, 4 * width)
    for number in (1, 2, 3):
        draws.norm(f"{block}.norm{number}", width)
    draws.weight(f"{name}.proj_out", width, width, 1, 1)


def draw_vae(draws: Draws, prefix: str = "first_stage_model.") -> None:
    """The autoencoder: two residual blocks per level in the encoder, three in the decoder."""
    first, top = VAE_WIDTHS[0], VAE_WIDTHS[-1]
    encoder, decoder = f"{prefix}encoder.", f"{prefix}decoder."
    draws.weight(f"{encoder}conv_in", first, 3, 3, 3)
    width = first
    for level, wide in enumerate(VAE_WIDTHS):
        for turn in range(2):
            _vae_residual(draws, f"{encoder}down.{level}.block.{turn}", width, wide)
            width = wide
        if level < len(VAE_WIDTHS) - 1:
            draws.weight(f"{encoder}down.{level}.downsample.conv", width, width, 3, 3)
    _vae_middle(draws, f"{encoder}mid", top)
    draws.norm(f"{encoder}norm_out", top)
    draws.weight(f"{encoder}conv_out", 8, top, 3, 3)
    draws.weight(f"{decoder}conv_in", top, 4, 3, 3)
    _vae_middle(draws, f"{decoder}mid", top)
    width = top
    for level, wide in reversed(list(enumerate(VAE_WIDTHS))):
        for turn in range(3):
            _vae_residual(draws, f"{decoder}up.{level}.block.{turn}", width, wide)
            width = wide
        if level:
            draws.weight(f"{decoder}up.{level}.upsample.conv", width, width, 3, 3)
    draws.norm(f"{decoder}norm_out", first)
    draws.weight(f"{decoder}conv_out", 3, first, 3, 3)
    draws.weight(f"{prefix}quant_conv", 8, 8, 1, 1)
    draws.weight(f"{prefix}post_quant_conv", 4, 4, 1, 1)


def _vae_residual(draws: Draws, name: str, narrow: int, wide: int) -> None:
    draws.norm(f"{name}.norm1", narrow)
    draws.weight(f"{name}.conv1", wide, narrow, 3, 3)
    draws.norm(f"{name}.norm2", wide)
    draws.weight(f"{name}.conv2", wide, wide, 3, 3)
    if narrow != wide:
        draws.weight(f"{name}.nin_shortcut", wide, narrow, 1, 1)


def _vae_middle(draws: Draws, name: str, width: int) -> None:
    _vae_residual(draws, f"{name}.block_1", width, width)
    draws.norm(f"{name}.attn_1.norm", width)
    for part in ("q", "k", "v", "proj_out"):
        draws.weight(f"{name}.attn_1.{part}", width, width, 1, 1)
    _vae_residual(draws, f"{name}.block_2", width, width)


def draw_text(draws: Draws, prefix: str = "cond_stage_model.transformer.text_model.") -> None:
    """The text encoder, CLIP-L: twelve layers."""
    draws.weight(f"{prefix}embeddings.token_embedding", 49408, CONTEXT, bias=False, deviation=0.02)
    draws.weight(f"{prefix}embeddings.position_embedding", 77, CONTEXT, bias=False, deviation=0.02)
    draws.tensors[f"{prefix}embeddings.position_ids"] = torch.arange(77)[None]
    for layer in range(12):
        name = f"{prefix}encoder.layers.{layer}"
        for part in ("q_proj", "k_proj", "v_proj", "out_proj"):
            draws.weight(f"{name}.self_attn.{part}", CONTEXT, CONTEXT)
        draws.norm(f"{name}.layer_norm1", CONTEXT)
        draws.weight(f"{name}.mlp.fc1", 4 * CONTEXT, CONTEXT)
        draws.weight(f"{name}.mlp.fc2", CONTEXT, 4 * CONTEXT)
        draws.norm(f"{name}.layer_norm2", CONTEXT)
    draws.norm(f"{prefix}final_layer_norm", CONTEXT)


def draw_lora(seed: int) -> dict[str, Tensor]:
    """A LoRA on the attention and feed-forward layers of the denoiser and the text encoder."""
    generator = torch.Generator().manual_seed(seed)
    tensors: dict[str, Tensor] = {}
    for name, rows, columns in _adapted():
        down = torch.randn(RANK, columns, generator=generator) * columns**-0.5
        up = torch.randn(rows, RANK, generator=generator) * 0.02
        tensors[f"{name}.lora_down.weight"] = down.half()
        tensors[f"{name}.lora_up.weight"] = up.half()
        tensors[f"{name}.alpha"] = torch.tensor(float(RANK)).half()
    return tensors


def _adapted() -> Iterator[tuple[str, int, int]]:
    """Every layer that the LoRA changes, in kohya's names: (stem, out, in)."""
    places = [(f"down_blocks_{n}_attentions_{i}", UNET_WIDTHS[n]) for n in range(3) for i in range(2)]
    places.append(("mid_block_attentions_0", UNET_WIDTHS[3]))
    places += [(f"up_blocks_{n}_attentions_{i}", UNET_WIDTHS[3 - n]) for n in (1, 2, 3) for i in range(3)]
    for place, width in places:
        stem = f"lora_unet_{place}_transformer_blocks_0"
        for attention, source in (("attn1", width), ("attn2", CONTEXT)):
            yield f"{stem}_{attention}_to_q", width, width
            yield f"{stem}_{attention}_to_k", width, source
            yield f"{stem}_{attention}_to_v", width, source
            yield f"{stem}_{attention}_to_out_0", width, width
        yield f"{stem}_ff_net_0_proj", 8 * width, width
        yield f"{stem}_ff_net_2", width, 4 * width
    for layer in range(12):
        stem = f"lora_te_text_model_encoder_layers_{layer}"
        for part in ("q_proj", "k_proj", "v_proj", "out_proj"):
            yield f"{stem}_self_attn_{part}", CONTEXT, CONTEXT
        yield f"{stem}_mlp_fc1", 4 * CONTEXT, CONTEXT
        yield f"{stem}_mlp_fc2", CONTEXT, 4 * CONTEXT


def write(folder: Path, seed: int = 0) -> tuple[Path, Path]:
    """Write checkpoint and LoRA into the folder, and give their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    draws = Draws(seed)
    draw_unet(draws)
    draw_vae(draws)
    draw_text(draws)
    save_file(draws.tensors, folder / CHECKPOINT)
    save_file(draw_lora(seed + 1), folder / LORA)
    return folder / CHECKPOINT, folder / LORA


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        prog="python -m tests.diffusion.reference.random_sd15", description=__doc__
    )
    parser.add_argument("folder", type=Path)
    print(*write(parser.parse_args().folder), sep="\n")
