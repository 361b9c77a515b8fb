"""`load.lora`: a small change to a model and its text encoder."""

from __future__ import annotations

from typing import Annotated, NamedTuple

from pydantic import Field

from nodegraph import Context, File, Model, TextEncoder, node
from nodegraph.values import Patch

LoraName = Annotated[str, File("loras")]
Strength = Annotated[
    float, Field(ge=-100, le=100, description="1 is full effect, 0 none, below 0 the opposite")
]


class Adapted(NamedTuple):
    """The model and the text encoder with the LoRA on."""

    model: Model
    text_encoder: TextEncoder


@node("load.lora", category="Load", title="Load LoRA", lane="io")
def load_lora(
    ctx: Context,
    model: Model,
    text_encoder: TextEncoder,
    file: LoraName,
    strength: Strength = 1.0,
    text_strength: Strength | None = None,
) -> Adapted:
    """Put a LoRA on a model and its text encoder.

    Only names and shapes are compared here; a LoRA that fits nothing in the model is an error. Without
    text_strength the text encoder gets the same strength. At strength 0 the result is the base, bit by bit.
    """
    from nodegraph.modelfiles.families import TEXT_ENCODERS, component_shapes
    from nodegraph.modelfiles.lora_match import match_lora
    from nodegraph.modelfiles.safetensors_header import read_header

    lora = ctx.files.get("loras", file)
    base = component_shapes(read_header(ctx.files.path(model.base)).shapes)
    text = component_shapes(read_header(ctx.files.path(text_encoder.base)).shapes)
    match = match_lora(read_header(ctx.files.path(lora)), {**base, **text}, family=model.family)
    ctx.log.info("%s: %d layers match, %d tensors do not", file, len(match.layers), len(match.unmatched))
    for name in match.unmatched[:5]:
        ctx.log.warning("%s: '%s' fits nothing in this model", file, name)
    on_text = strength if text_strength is None else text_strength
    if match.of("denoiser") and strength != 0:
        model = model.patched(Patch.of("lora", file=lora.hash, strength=strength))
    if any(match.of(part) for part in TEXT_ENCODERS) and on_text != 0:
        text_encoder = text_encoder.patched(Patch.of("lora", file=lora.hash, strength=on_text))
    return Adapted(model, text_encoder)
