"""Text encoders: Hugging Face's names."""

from __future__ import annotations

from collections.abc import Iterable

from nodegraph.modelfiles.layouts.prefixes import first_prefix
from nodegraph.modelfiles.shapes import Shapes, count
from nodegraph.modelfiles.sources import Sources, TensorSource


def text_encoder(shapes: Shapes, prefixes: Iterable[str] = ("",)) -> Sources:
    """The sources of a text encoder under the first of the prefixes that occurs; empty if there is none.

    CLIP's names begin with `text_model.` (but `text_projection.weight`), which some files leave out.
    """
    names = first_prefix(shapes, prefixes)
    return {_clip_name(name): TensorSource.of(source) for name, source in names.items() if _is_weight(name)}


def encoder_kind(sources: Sources) -> str | None:
    """Which text encoder the tensors make, by the number of layers; None if they make none.

    12 layers are CLIP-L, 24 OpenCLIP-H, 32 OpenCLIP-bigG.
    """
    if "text_model.embeddings.token_embedding.weight" not in sources:
        return None
    layers = count(dict.fromkeys(sources, ()), "text_model.encoder.layers.")
    return "clip_g" if layers > 24 else "clip_h" if layers > 12 else "clip_l"


def _is_weight(name: str) -> bool:
    return not name.endswith(("position_ids", "logit_scale"))  # a buffer of older files: 0, 1, 2 …


def _clip_name(name: str) -> str:
    return name if name.startswith(("text_model.", "text_projection.")) else f"text_model.{name}"
