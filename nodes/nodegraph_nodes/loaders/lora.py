"""`load.lora`: a small change to a model and its text encoders."""

from __future__ import annotations

from typing import Annotated, NamedTuple

from pydantic import Field

from nodegraph import Context, File, Model, TextEncoder, node
from nodegraph.values import Patch

LoraName = Annotated[str, File("loras")]
Strength = Annotated[
    float, Field(ge=-100, le=100, description="1 is full effect, 0 none, below 0 the opposite")
]

_EXAMPLES = 5


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
    """Put a LoRA on a model and its text encoders.

    Only names and shapes are compared here; a LoRA that fits nothing in the model is an error, and what of
    it fits nothing is counted in the log. Without text_strength the text encoders get the same strength. At
    strength 0 the result is the base, bit by bit.
    """
    from nodegraph.modelfiles.families import TEXT_ENCODERS, component_shapes
    from nodegraph.modelfiles.loras import match_lora
    from nodegraph.modelfiles.safetensors_header import read_header

    lora = ctx.files.get("loras", file)
    components = component_shapes(read_header(ctx.files.path(model.base)).shapes)
    components = {"denoiser": components["denoiser"]} if "denoiser" in components else {}
    for part in (text_encoder.base, *text_encoder.others):
        shapes = component_shapes(read_header(ctx.files.path(part)).shapes)
        components |= {
            name: shapes[name] for name in TEXT_ENCODERS if name in shapes and name not in components
        }
    match = match_lora(read_header(ctx.files.path(lora)), components, family=model.family).require()
    ctx.log.info("%s: %d tensors of the model are changed", file, len(match.layers))
    if match.unmatched:
        count, examples = len(match.unmatched), ", ".join(match.unmatched[:_EXAMPLES])
        ctx.log.warning("%s: %d tensors fit nothing in this model, for example %s", file, count, examples)
    on_text = strength if text_strength is None else text_strength
    if match.of("denoiser") and strength != 0:
        model = model.patched(Patch.of("lora", file=lora.hash, strength=strength))
    if any(match.of(part) for part in TEXT_ENCODERS) and on_text != 0:
        text_encoder = text_encoder.patched(Patch.of("lora", file=lora.hash, strength=on_text))
    return Adapted(model, text_encoder)
