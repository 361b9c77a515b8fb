"""Text encoders: Hugging Face's names, and OpenCLIP's, which are turned into those."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from nodegraph.modelfiles.layouts.prefixes import first_prefix
from nodegraph.modelfiles.shapes import Shapes, count
from nodegraph.modelfiles.sources import Sources, TensorSource

_OPEN_CLIP_ENDS = {
    "token_embedding.weight": "text_model.embeddings.token_embedding.weight",
    "positional_embedding": "text_model.embeddings.position_embedding.weight",
    "ln_final.weight": "text_model.final_layer_norm.weight",
    "ln_final.bias": "text_model.final_layer_norm.bias",
}
_OPEN_CLIP_LAYER = {
    "ln_1": "layer_norm1",
    "ln_2": "layer_norm2",
    "mlp.c_fc": "mlp.fc1",
    "mlp.c_proj": "mlp.fc2",
    "attn.out_proj": "self_attn.out_proj",
}
_LAYERS = "transformer.resblocks."


def text_encoder(shapes: Shapes, prefixes: Iterable[str] = ("",)) -> Sources:
    """The sources of a text encoder under the first of the prefixes that occurs; empty if there is none.

    CLIP's names begin with `text_model.` (but `text_projection.weight`), which some files leave out; T5's
    are taken as they are.
    """
    names = first_prefix(shapes, prefixes)
    if "ln_final.weight" in names:
        return dict(_from_open_clip(names))
    if "shared.weight" in names or "encoder.block.0.layer.0.SelfAttention.q.weight" in names:
        return {name: TensorSource.of(source) for name, source in names.items()}
    return {_clip_name(name): TensorSource.of(source) for name, source in names.items() if _is_weight(name)}


def encoder_kind(sources: Sources) -> str | None:
    """Which text encoder the tensors make; None if they make none.

    CLIP's are told by the number of layers: 12 are CLIP-L, 24 OpenCLIP-H, 32 OpenCLIP-bigG.
    """
    if "encoder.block.0.layer.0.SelfAttention.q.weight" in sources:
        return "t5xxl"
    if "text_model.embeddings.token_embedding.weight" not in sources:
        return None
    layers = count(dict.fromkeys(sources, ()), "text_model.encoder.layers.")
    return "clip_g" if layers > 24 else "clip_h" if layers > 12 else "clip_l"


def _from_open_clip(names: dict[str, str]) -> Iterator[tuple[str, TensorSource]]:
    """OpenCLIP keeps query, key and value in one matrix, and its projection transposed."""
    for name, file_name in names.items():
        source = TensorSource.of(file_name)
        if name in _OPEN_CLIP_ENDS:
            yield _OPEN_CLIP_ENDS[name], source
        elif name == "text_projection":
            yield "text_projection.weight", TensorSource(source.names, transposed=True)
        elif name.startswith(_LAYERS):
            number, part = name.removeprefix(_LAYERS).split(".", 1)
            layer = f"text_model.encoder.layers.{number}"
            if part.startswith("attn.in_proj_"):
                kind = part.removeprefix("attn.in_proj_")
                for index, letter in enumerate("qkv"):
                    yield f"{layer}.self_attn.{letter}_proj.{kind}", source.part(index, 3)
            else:
                module, _, kind = part.rpartition(".")
                yield f"{layer}.{_OPEN_CLIP_LAYER.get(module, module)}.{kind}", source


def open_clip_layer(module: str) -> tuple[str, tuple[int, int] | None]:
    """OpenCLIP's name of a layer, and which part of it is meant: (index, count), None for the whole.

    The name is empty for layers outside the transformer.
    """
    head, _, rest = module.partition("text_model.encoder.layers.")
    number, _, part = rest.partition(".")
    if head or not part:
        return "", None
    if part.startswith("self_attn.") and part.endswith("_proj") and part != "self_attn.out_proj":
        return f"{_LAYERS}{number}.attn.in_proj", ("qkv".index(part.removeprefix("self_attn.")[0]), 3)
    theirs = next((theirs for theirs, ours in _OPEN_CLIP_LAYER.items() if ours == part), "")
    return (f"{_LAYERS}{number}.{theirs}" if theirs else ""), None


def _is_weight(name: str) -> bool:
    return not name.endswith(("position_ids", "logit_scale"))  # a buffer of older files: 0, 1, 2 …


def _clip_name(name: str) -> str:
    return name if name.startswith(("text_model.", "text_projection.")) else f"text_model.{name}"
