"""`load.text_encoders`: text encoders in files of their own."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from nodegraph import Context, File, TextEncoder, node
from nodegraph.errors import ModelFileError

TextEncoderFile = Annotated[str, File("text_encoders")]
FamilyName = Annotated[
    Literal["sd1", "sd2", "sdxl", "sdxl_refiner", "sd3", "flux"],
    Field(description="whose models the encoders are used with; sd3 is for SD 3.5 too"),
]


@node("load.text_encoders", category="Load", title="Load text encoders", lane="io")
def load_text_encoders(
    ctx: Context,
    family: FamilyName,
    file: TextEncoderFile,
    second: TextEncoderFile | None = None,
    third: TextEncoderFile | None = None,
) -> TextEncoder:
    """Open text encoders that lie in files of their own, in any order; which is which is told from them.

    Only headers are read here. SD 3 and FLUX.1 do without some of theirs: zeros stand for those.
    """
    from nodegraph.diffusion.encoders import declared_encoders
    from nodegraph.modelfiles.families import FAMILIES, TITLES, inspect
    from nodegraph.modelfiles.manifests import read_model_header

    name = "flux_dev" if family == "flux" else family
    bases = [ctx.files.get("text_encoders", given) for given in (file, second, third) if given is not None]
    recipe = TextEncoder(bases[0], name, others=tuple(bases[1:]))
    wanted = [encoder.component for encoder in declared_encoders(recipe, FAMILIES)]
    for input_, base in zip(("file", "second", "third"), bases, strict=False):
        found = inspect(read_model_header(ctx.files.path(base))).text_encoders
        if not set(found) & set(wanted):
            raise ModelFileError(
                f"'{base.name}' has no text encoder of {family}",
                code="model_component_missing",
                input=input_,
                expected=" or ".join(TITLES[component] for component in wanted),
                found=" and ".join(TITLES[component] for component in found) or "no text encoder",
                remedy="Use another file, or another family.",
            )
    return recipe
