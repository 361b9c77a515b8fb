"""How LoRA files spell the layers of text encoders: which of them is meant depends on its company.

kohya's `lora_te1_`, `lora_te2_`, `lora_te3_` and diffusers' `text_encoder.`, `text_encoder_2.`,
`text_encoder_3.` count the encoders of a family: the second of SDXL is OpenCLIP-bigG, that of FLUX.1 is T5.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from nodegraph.modelfiles.layouts.text import open_clip_layer
from nodegraph.modelfiles.loras.targets import Named, Target, layers_of, spelled
from nodegraph.modelfiles.shapes import Shapes

_PREFIX = "text_model."


def text_names(component: str, shapes: Shapes, encoders: Collection[str]) -> Iterator[Named]:
    """Every spelling of every layer of a text encoder; encoders: all of its family, itself among them."""
    numbers = _numbers(component, encoders)
    owners = ["text_encoder" if number == 1 else f"text_encoder_{number}" for number in numbers]
    dotted = [f"{owner}.{infix}" for owner in owners for infix in ("", "base_model.model.")]
    dotted.append(f"text_encoders.{component}.transformer.")  # ComfyUI's own names
    flat = [f"lora_te{number}_" for number in numbers]
    if 1 in numbers:
        flat.append("lora_te_")
    for module in layers_of(shapes):
        for stem in spelled({module, module.removeprefix(_PREFIX)}, dotted, ()):
            yield stem, Target(component, module)
        for stem in spelled([module], (), flat):
            yield stem, Target(component, module)
        name, part = open_clip_layer(module)
        if name:
            for stem in spelled([name], dotted, flat):
                yield stem, Target(component, module, part=part)


def _numbers(component: str, encoders: Collection[str]) -> tuple[int, ...]:
    """How the encoder is counted in its family. The refiner's only one is SDXL's second too."""
    if component == "clip_g":
        return (2,) if "clip_l" in encoders else (1, 2)
    if component == "t5xxl":
        return (3,) if "clip_g" in encoders else (2, 3)
    return (1,)
