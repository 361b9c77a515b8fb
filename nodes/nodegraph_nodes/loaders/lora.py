"""`load.lora` and `load.model_lora`: a small change to a model and its text encoders."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, NamedTuple

from pydantic import Field

from nodegraph import Context, File, Model, TextEncoder, node
from nodegraph.values import ModelFile, Patch

if TYPE_CHECKING:
    from nodegraph.modelfiles.loras import LoraMatch
    from nodegraph.modelfiles.shapes import Shapes

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
    from nodegraph.modelfiles.families import TEXT_ENCODERS

    lora = ctx.files.get("loras", file)
    match = _match(ctx, lora, model.family, [model.base], [text_encoder.base, *text_encoder.others])
    on_text = strength if text_strength is None else text_strength
    if match.of("denoiser") and strength != 0:
        model = model.patched(Patch.of("lora", file=lora.hash, strength=strength))
    if any(match.of(part) for part in TEXT_ENCODERS) and on_text != 0:
        text_encoder = text_encoder.patched(Patch.of("lora", file=lora.hash, strength=on_text))
    return Adapted(model, text_encoder)


@node("load.model_lora", category="Load", title="Load LoRA (model only)", lane="io")
def load_model_lora(ctx: Context, model: Model, file: LoraName, strength: Strength = 1.0) -> Model:
    """Put a LoRA on a model and on no text encoder.

    As `load.lora`, for a model that is used with text encoders of other files, or a LoRA that is to leave
    the prompt as it is. A LoRA that fits nothing in the denoiser is an error.
    """
    lora = ctx.files.get("loras", file)
    _match(ctx, lora, model.family, [model.base], [])
    if strength == 0:
        return model
    return model.patched(Patch.of("lora", file=lora.hash, strength=strength))


def _match(
    ctx: Context, lora: ModelFile, family: str, models: list[ModelFile], texts: list[ModelFile]
) -> LoraMatch:
    """What of the LoRA fits the denoiser of one file and the text encoders of others; the rest is logged."""
    from nodegraph.modelfiles.families import TEXT_ENCODERS, component_shapes
    from nodegraph.modelfiles.loras import match_lora
    from nodegraph.modelfiles.manifests import read_model_header

    components: dict[str, Shapes] = {}
    for files, wanted in ((models, ("denoiser",)), (texts, TEXT_ENCODERS)):
        for file in files:
            shapes = component_shapes(read_model_header(ctx.files.path(file)).shapes)
            for name in wanted:
                if name in shapes:
                    components.setdefault(name, shapes[name])
    match = match_lora(read_model_header(ctx.files.path(lora)), components, family=family).require()
    ctx.log.info("%s: %d tensors of the model are changed", lora.name, len(match.layers))
    if match.unmatched:
        count, examples = len(match.unmatched), ", ".join(match.unmatched[:_EXAMPLES])
        ctx.log.warning("%s: %d tensors fit nothing here, for example %s", lora.name, count, examples)
    return match
