"""From a header to what its file is: components by prefix and layout, then the first family that fits."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from nodegraph.errors import ModelFileError
from nodegraph.modelfiles.configs import VaeConfig
from nodegraph.modelfiles.families.family import Checkpoint, Defaults, Family, Told
from nodegraph.modelfiles.families.table import FAMILIES
from nodegraph.modelfiles.layouts import autoencoder, candidates, encoder_kind, text_encoder
from nodegraph.modelfiles.other_families import Other, kind_of, name_of
from nodegraph.modelfiles.safetensors_header import Header
from nodegraph.modelfiles.shapes import Shapes, clip_text_config, t5_config, vae_config
from nodegraph.modelfiles.sources import Sources, shapes_of, with_scales
from nodegraph.values import ANY_LATENT, SD1_LATENT, LatentFormat, NoiseSchedule

TOKENIZER_KEYS = ("tokenizer.vocab", "tokenizer.merges")

_CONFIGS: Mapping[str, Callable[[Shapes], object]] = {
    "vae": vae_config,
    "clip_l": clip_text_config,
    "clip_h": clip_text_config,
    "clip_g": clip_text_config,
    "t5xxl": t5_config,
}
"""Component -> its config from its shapes; the denoiser's is its family's."""


def inspect(header: Header, families: Sequence[Family] = FAMILIES) -> Checkpoint:
    """What the file of this header is. ModelFileError names what it is where it is not supported."""
    shapes = header.shapes
    _refuse(header, kind_of(shapes), families)
    family, parts = _parts(shapes, families)
    if family is None:
        _refuse(header, name_of(shapes), families)
    if not any(parts.values()):
        raise ModelFileError(
            f"{header.path} holds no known model",
            code="model_family_unknown",
            expected=f"a checkpoint of a supported family ({_titles(families)})",
            found=_sample(shapes),
            remedy="Check that this is the right file.",
        )
    nets = {name: _config(header, family, name, sources) for name, sources in parts.items() if sources}
    told = family.tell(family, header, parts["denoiser"]) if family else Told("eps", NoiseSchedule())
    variant = family.variant(told.variant) if family else None
    return Checkpoint(
        family=family.name if family else "",
        prediction=told.prediction,
        latent_format=family.latent if family else _format_of(nets),
        nets=nets,
        has_tokenizer=all(key in header.metadata for key in TOKENIZER_KEYS),
        schedule=told.schedule,
        defaults=(variant and variant.defaults) or (family.defaults if family else Defaults()),
        network=family.network if family else "",
        denoiser=family.denoiser if family else "",
        variant=told.variant,
        variants=tuple(variant.name for variant in family.variants) if family else (),
        notes=told.notes,
    )


def _format_of(nets: Mapping[str, object]) -> LatentFormat:
    """The format of an autoencoder alone: SD 1.x and SDXL, SD 3 and FLUX.1 have the same tensors."""
    vae = nets.get("vae")
    if not isinstance(vae, VaeConfig):
        return SD1_LATENT
    return LatentFormat(ANY_LATENT, vae.latent_channels, vae.down, scale=1.0)


def component_names(shapes: Shapes, families: Sequence[Family] = FAMILIES) -> dict[str, Sources]:
    """For each component that is there, its tensors: name in the network -> how the file makes it."""
    return {name: sources for name, sources in _parts(shapes, families)[1].items() if sources}


def component_shapes(shapes: Shapes, families: Sequence[Family] = FAMILIES) -> dict[str, Shapes]:
    """For each component that is there, its tensors: name in the network -> shape."""
    return {name: shapes_of(sources, shapes) for name, sources in component_names(shapes, families).items()}


def _parts(shapes: Shapes, families: Sequence[Family]) -> tuple[Family | None, dict[str, Sources]]:
    """The family of the denoiser, if there is one, and every component of the file."""
    family, denoiser = _denoiser(shapes, families)
    parts: dict[str, Sources] = {"denoiser": denoiser, "vae": autoencoder(shapes)}
    if family is not None:
        for encoder in family.encoders:
            parts[encoder.component] = with_scales(text_encoder(shapes, encoder.prefixes), shapes)
        return family, parts
    known = [prefix for other in families for encoder in other.encoders for prefix in encoder.prefixes]
    for prefix in dict.fromkeys((*known, "")):
        sources = with_scales(text_encoder(shapes, (prefix,)), shapes)
        kind = encoder_kind(sources)
        if kind is not None:
            parts.setdefault(kind, sources)
    return None, parts


def _denoiser(shapes: Shapes, families: Sequence[Family]) -> tuple[Family | None, Sources]:
    for candidate in candidates(shapes):
        sources = with_scales(candidate, shapes)
        try:
            found = shapes_of(sources, shapes)
        except (KeyError, ValueError):
            continue  # the names of a layout, but not its tensors
        for family in families:
            if family.detect(found):
                return family, sources
    return None, {}


def _refuse(header: Header, other: Other | None, families: Sequence[Family]) -> None:
    if other is not None:
        raise ModelFileError(
            f"{header.path} is {other.name}",
            code="model_family_unsupported",
            expected=f"a checkpoint of a supported family ({_titles(families)})",
            found=other.name,
            remedy=other.remedy,
        )


def _config(header: Header, family: Family | None, component: str, sources: Sources) -> object:
    config = family.config if family is not None and component == "denoiser" else _CONFIGS[component]
    try:
        return config(shapes_of(sources, header.shapes))
    except (KeyError, ValueError, IndexError) as error:
        reason = f"'{error.args[0]}' is missing" if isinstance(error, KeyError) else str(error)
        what = family.title if family is not None else "a model"
        raise ModelFileError(
            f"{header.path} looks like {what} but its tensors do not make a network: {reason}",
            code="model_file_incomplete",
            remedy="The file was damaged or made by a faulty converter: get it from another source.",
        ) from error


def _titles(families: Sequence[Family]) -> str:
    return ", ".join(family.title for family in families)


def _sample(shapes: Shapes) -> str:
    """A few tensor names, to show what the file holds."""
    names = sorted(shapes)
    if not names:
        return "no tensors"
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more tensors" if len(names) > 3 else "")
