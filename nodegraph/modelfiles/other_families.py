"""Names of the files that are not supported as checkpoints: other families, and other kinds of file."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from nodegraph.modelfiles.shapes import Shapes

USE_SD1 = "Use a checkpoint of a supported family."


class Other(NamedTuple):
    """What a file is, with its article, and what its owner can do."""

    name: str
    remedy: str = USE_SD1


Tests = tuple[tuple[Other, Callable[[Shapes], bool]], ...]


def kind_of(shapes: Shapes) -> Other | None:
    """Which kind of file that is no model it is: a LoRA, a ControlNet, a quantised model; None otherwise."""
    return _first(_KINDS, shapes)


def name_of(shapes: Shapes) -> Other | None:
    """What the file is, if it is of no supported family and known; None otherwise."""
    return _first(_TESTS, shapes)


def _first(tests: Tests, shapes: Shapes) -> Other | None:
    """The tests go from the most telling key to the least, on names without the common denoiser prefix."""
    bare = {name.removeprefix("model.diffusion_model."): shape for name, shape in shapes.items()}
    return next((other for other, test in tests if test(bare)), None)


def _has(*keys: str) -> Callable[[Shapes], bool]:
    return lambda shapes: all(key in shapes for key in keys)


def _any_contains(*parts: str) -> Callable[[Shapes], bool]:
    return lambda shapes: any(part in name for name in shapes for part in parts)


def _label_width(*widths: int) -> Callable[[Shapes], bool]:
    return lambda shapes: shapes.get("label_emb.0.0.weight", (0, 0))[-1] in widths


def _input_channels(count: int) -> Callable[[Shapes], bool]:
    return lambda shapes: shapes.get("input_blocks.0.0.weight", (0, 0))[1:2] == (count,)


def _without_tokens(shapes: Shapes) -> bool:
    layers = "text_model.encoder.layers.0.mlp.fc1.weight" in shapes
    return layers and "text_model.embeddings.token_embedding.weight" not in shapes


_LORA = Other("a LoRA", "Load it with the LoRA loader, on top of a checkpoint.")
_CONTROLNET = Other("a ControlNet", "A ControlNet is no checkpoint; " + USE_SD1.lower())
_TEXT_ENCODER = Other("a text encoder without its table of tokens", USE_SD1)
_QUANTISED = Other("a quantised checkpoint", "Use the float16, bfloat16 or fp8 file of the model.")

_LORA_PARTS = (
    "lora_down.", "lora_up.", "lora_A.", "lora_B.", ".hada_w1", ".lokr_w1", "_lora.down.", "_lora1.down.",
    ".lora.down.", "lora_linear_layer.down.", ".oft_blocks",
)  # fmt: skip

_KINDS: Tests = (
    (
        _LORA,
        _any_contains(*_LORA_PARTS),
    ),
    (_CONTROLNET, _any_contains("zero_convs.0.0", "controlnet_cond_embedding.", "controlnet_blocks.0.")),
    # Both have the tensors of SDXL and another noise schedule: taken for SDXL they would give wrong pictures.
    (Other("a Playground 2.5 checkpoint"), _has("edm_mean", "edm_std")),
    (Other("an SDXL checkpoint with an EDM schedule"), _any_contains("edm_vpred.sigma")),
    (_QUANTISED, _any_contains(".comfy_quant", ".weight_scale_2", ".pre_quant_scale", ".qweight", ".absmax")),
)
"""Files whose tensors may look like a model's and are none that can be used as it is."""

_TESTS: Tests = (
    (Other("a FLUX.2 checkpoint"), _has("double_stream_modulation_img.lin.weight")),
    (Other("a Chroma checkpoint"), _any_contains("distilled_guidance_layer.")),
    (Other("a FLUX.1 model of an unknown kind"), _has("double_blocks.0.img_attn.norm.key_norm.scale")),
    (Other("a Qwen-Image checkpoint"), _has("txt_norm.weight")),
    (Other("a Lumina 2 or Z-Image checkpoint"), _has("cap_embedder.1.weight")),
    (Other("a PixArt checkpoint"), _has("t_block.1.weight")),
    (Other("an AuraFlow checkpoint"), _has("double_layers.0.attn.w1q.weight")),
    (Other("a Hunyuan-DiT checkpoint"), _has("mlp_t5.0.weight")),
    (Other("a Stable Cascade checkpoint"), _has("clf.1.weight")),
    (Other("a Stable Video Diffusion checkpoint"), _any_contains(".time_stack.")),
    (Other("an SD 2.1 unCLIP checkpoint"), _label_width(1536, 2048)),
    (Other("a class-conditional UNet (an upscaler or a video model)"), _has("label_emb.0.0.weight")),
    (Other("an SD 2 depth model, which needs a depth map"), _input_channels(5)),
    (Other("an upscaling UNet"), _input_channels(7)),
    (
        Other("a UNet in the diffusers layout of an unknown family"),
        _has("down_blocks.0.resnets.0.conv1.weight"),
    ),
    (_TEXT_ENCODER, _without_tokens),
)
