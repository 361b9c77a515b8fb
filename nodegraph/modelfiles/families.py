"""What a model file is: family, components, prediction and shapes, from names and shapes alone.

One family is supported so far: SD 1.x, whatever its widths. Files of other families are recognised and
named, so that the error says what the file is and not only what it is not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from nodegraph.errors import ModelFileError
from nodegraph.modelfiles.configs import ClipTextConfig, UNetConfig, VaeConfig
from nodegraph.modelfiles.other_families import name_of
from nodegraph.modelfiles.safetensors_header import Header
from nodegraph.modelfiles.shapes import Shapes, clip_text_config, unet_config, vae_config
from nodegraph.values import SD1_LATENT, LatentFormat

SD1 = "sd1"
SUPPORTED = "SD 1.x"

UNET_PREFIX = "model.diffusion_model."
VAE_PREFIX = "first_stage_model."
TEXT_PREFIX = "cond_stage_model.transformer."
TITLES = {"unet": "denoiser", "text": "text encoder", "vae": "autoencoder"}
"""The components of a checkpoint, and what people call them."""

TOKENIZER_KEYS = ("tokenizer.vocab", "tokenizer.merges")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a checkpoint of the SD 1.x family holds. A component that the file lacks is None.

    prediction: "eps" or "v"; has_tokenizer: whether the vocabulary travels in the metadata.
    """

    family: str
    prediction: str
    latent_format: LatentFormat
    unet: UNetConfig | None
    vae: VaeConfig | None
    text: ClipTextConfig | None
    has_tokenizer: bool

    @property
    def components(self) -> tuple[str, ...]:
        """Names of the components that are there: `unet`, `vae`, `text`."""
        present = {"unet": self.unet, "vae": self.vae, "text": self.text}
        return tuple(name for name, config in present.items() if config is not None)

    def require(self, component: str, header: Header) -> None:
        """ModelFileError if the file lacks the component (`unet`, `vae` or `text`)."""
        if component not in self.components:
            raise ModelFileError(
                f"{header.path} has no {TITLES[component]}",
                code="model_component_missing",
                expected=f"a file with a {TITLES[component]}",
                found=" and ".join(TITLES[part] for part in self.components),
                remedy="Use a complete checkpoint, or load this component from another file.",
            )


def inspect(header: Header) -> Checkpoint:
    """What the file of this header is. ModelFileError names what it is where it is not supported."""
    shapes = header.shapes
    other = name_of(shapes)
    if other is not None:
        raise ModelFileError(
            f"{header.path} is {other.name}",
            code="model_family_unsupported",
            expected=f"a checkpoint of a supported family ({SUPPORTED})",
            found=other.name,
            remedy=other.remedy,
        )
    parts = component_shapes(shapes)
    if not any(parts.values()):
        raise ModelFileError(
            f"{header.path} holds no known model",
            code="model_family_unknown",
            expected=f"a checkpoint of a supported family ({SUPPORTED})",
            found=_sample(shapes),
            remedy="Check that this is the right file.",
        )
    return _sd1(header, parts)


def component_shapes(shapes: Shapes) -> dict[str, Shapes]:
    """For each component (`unet`, `vae`, `text`), its tensors: name in the network -> shape."""
    return {
        component: {name: shapes[source] for name, source in names.items()}
        for component, names in component_names(shapes).items()
    }


def component_names(shapes: Shapes) -> dict[str, dict[str, str]]:
    """For each component, its tensors: name in the network -> name in the file.

    Components are `unet`, `vae` and `text`. A file that holds nothing but an autoencoder may have its
    tensors without a prefix; some files leave `text_model.` out of the text encoder's names.
    """
    unet = _without_prefix(shapes, UNET_PREFIX)
    vae = _without_prefix(shapes, VAE_PREFIX)
    if not vae and "decoder.conv_in.weight" in shapes and "encoder.conv_in.weight" in shapes:
        vae = {name: name for name in shapes if not name.startswith(("loss.", "model_ema."))}
    text = {
        name if name.startswith("text_model.") else f"text_model.{name}": source
        for name, source in _without_prefix(shapes, TEXT_PREFIX).items()
        if not name.endswith("position_ids")  # a buffer of older files: 0, 1, 2 …
    }
    return {"unet": unet, "vae": vae, "text": text}


def _sd1(header: Header, parts: Mapping[str, Shapes]) -> Checkpoint:
    try:
        unet = unet_config(parts["unet"]) if parts["unet"] else None
        vae = vae_config(parts["vae"]) if parts["vae"] else None
        text = clip_text_config(parts["text"]) if parts["text"] else None
    except (KeyError, ValueError, IndexError) as error:
        reason = f"'{error.args[0]}' is missing" if isinstance(error, KeyError) else str(error)
        raise ModelFileError(
            f"{header.path} looks like {SUPPORTED} but its tensors do not make a network: {reason}",
            code="model_file_incomplete",
            remedy="The file was damaged or made by a faulty converter: get it from another source.",
        ) from error
    if unet is not None and (unet.in_channels, unet.out_channels) != (4, 4):
        kind = {9: "an inpainting", 8: "an image-editing (InstructPix2Pix)"}.get(
            unet.in_channels, "a modified"
        )
        raise ModelFileError(
            f"{header.path} is {kind} variant of {SUPPORTED} with {unet.in_channels} input channels",
            code="model_family_unsupported",
            expected="4 input and 4 output channels",
            found=f"{unet.in_channels} and {unet.out_channels}",
            remedy="Use the base model; it can inpaint through a mask on the latent.",
        )
    has_tokenizer = all(key in header.metadata for key in TOKENIZER_KEYS)
    return Checkpoint(SD1, _prediction(header), SD1_LATENT, unet, vae, text, has_tokenizer)


def _prediction(header: Header) -> str:
    """eps unless a `v_pred` marker tensor or the metadata says v.

    The metadata speaks of `prediction_type` or, by the ModelSpec convention, `modelspec.prediction_type`.
    """
    metadata = header.metadata
    told = metadata.get("prediction_type", metadata.get("modelspec.prediction_type", "")).lower()
    if "v_pred" in header.tensors or told in {"v", "v_prediction", "v-prediction"}:
        return "v"
    if told in {"", "eps", "epsilon"}:
        return "eps"
    raise ModelFileError(
        f"{header.path} declares the prediction type '{told}'",
        code="model_family_unsupported",
        expected="eps or v",
        found=told,
        remedy="Use a model that predicts noise (eps) or velocity (v).",
    )


def _without_prefix(shapes: Shapes, prefix: str) -> dict[str, str]:
    return {name[len(prefix) :]: name for name in shapes if name.startswith(prefix)}


def _sample(shapes: Shapes) -> str:
    """A few tensor names, to show what the file holds."""
    names = sorted(shapes)
    if not names:
        return "no tensors"
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more tensors" if len(names) > 3 else "")
