"""The declaration of a family: everything that is special about it, as one frozen record."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from nodegraph.errors import ModelFileError
from nodegraph.modelfiles.configs import VaeConfig
from nodegraph.modelfiles.safetensors_header import Header
from nodegraph.modelfiles.shapes import Shapes
from nodegraph.modelfiles.sources import Sources
from nodegraph.values import LatentFormat, NoiseSchedule

C = TypeVar("C")

TITLES = {
    "denoiser": "denoiser",
    "clip_l": "text encoder",
    "clip_h": "text encoder (OpenCLIP ViT-H)",
    "clip_g": "text encoder (OpenCLIP ViT-bigG)",
    "t5xxl": "text encoder (T5-XXL)",
    "vae": "autoencoder",
}
"""The components of a checkpoint, and what people call them."""

TEXT_ENCODERS = ("clip_l", "clip_h", "clip_g", "t5xxl")


@dataclass(frozen=True, slots=True)
class Encoder:
    """A text encoder of a family, where a whole checkpoint keeps it, and what of its output is used.

    prefixes: of its tensors in a whole checkpoint, the first that occurs counts; what follows may have
    Hugging Face's or OpenCLIP's names. layer: -1 is the last hidden layer, -2 the one before; final_norm:
    whether the closing normalisation is applied to it; pooled: whether the pooled vector is used; padding:
    the id that fills short prompts (None: the end token); length: what T5 pads short prompts to.
    """

    component: str
    prefixes: tuple[str, ...]
    layer: int = -1
    final_norm: bool = True
    pooled: bool = False
    padding: int | None = None
    length: int = 77


@dataclass(frozen=True, slots=True)
class Defaults:
    """What a family is sampled with where nobody says otherwise. Sizes in pixels.

    guidance: the scale that a distilled network is told, None for networks that are told none.
    """

    width: int = 512
    height: int = 512
    steps: int = 20
    cfg: float = 7.0
    guidance: float | None = None


@dataclass(frozen=True, slots=True)
class Variant:
    """A model of a family that has the same tensors and other habits: named by metadata or by the user.

    words: what its metadata says, in lower case (title, architecture or variant holds one of them).
    """

    name: str
    title: str
    words: tuple[str, ...] = ()
    defaults: Defaults | None = None
    schedule: NoiseSchedule | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """What a file says about itself beyond its shapes; notes are sentences about what was assumed."""

    prediction: str
    schedule: NoiseSchedule
    variant: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Family:
    """A family of models.

    detect: whether tensors of a denoiser (original names, prefix removed) belong to it; config: those
    tensors -> the frozen config of its network (KeyError and ValueError become a sentence about the file);
    network: `module:Class` of the network, called with the config, loaded when first needed, so that
    declarations stay free of torch; denoiser: `module:function` that makes a live denoiser of (network,
    recipe, checkpoint). predictions: the types it may have, the usual one first. tell: what more the file
    says (see `nodegraph.modelfiles.families.telling`).
    """

    name: str
    title: str
    detect: Callable[[Shapes], bool]
    config: Callable[[Shapes], object]
    network: str
    denoiser: str
    encoders: tuple[Encoder, ...]
    latent: LatentFormat
    tell: Callable[[Family, Header, Sources], Told]
    predictions: tuple[str, ...] = ("eps", "v")
    schedule: NoiseSchedule = field(default_factory=NoiseSchedule)
    defaults: Defaults = field(default_factory=Defaults)
    variants: tuple[Variant, ...] = ()

    @property
    def components(self) -> tuple[str, ...]:
        """What a whole checkpoint of the family holds."""
        return ("denoiser", "vae", *(encoder.component for encoder in self.encoders))

    def encoder(self, component: str) -> Encoder:
        """The declaration of one of its text encoders. KeyError if it has none of that name."""
        return {encoder.component: encoder for encoder in self.encoders}[component]

    def variant(self, name: str) -> Variant | None:
        """The variant of that name, None if there is none."""
        return {variant.name: variant for variant in self.variants}.get(name)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a model file holds.

    family: its name, empty where the file has no denoiser that would tell; nets: component (`denoiser`,
    `vae`, `clip_l`, `clip_h`, `clip_g`, `t5xxl`) -> config, for the components that are there; has_tokenizer:
    whether the vocabulary travels in the metadata; network and denoiser:
    those of the family; variants: those that may have the same tensors; notes: what was only assumed.
    """

    family: str
    prediction: str
    latent_format: LatentFormat
    nets: Mapping[str, object]
    has_tokenizer: bool = False
    schedule: NoiseSchedule = field(default_factory=NoiseSchedule)
    defaults: Defaults = field(default_factory=Defaults)
    network: str = ""
    denoiser: str = ""
    variant: str = ""
    variants: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def components(self) -> tuple[str, ...]:
        """Names of the components that are there, the denoiser first."""
        return tuple(name for name in TITLES if name in self.nets)

    @property
    def text_encoders(self) -> tuple[str, ...]:
        """Names of the text encoders that are there."""
        return tuple(name for name in TEXT_ENCODERS if name in self.nets)

    def config(self, component: str, kind: type[C]) -> C:
        """The config of a component. TypeError if it is not there or of another kind."""
        config = self.nets.get(component)
        if not isinstance(config, kind):
            raise TypeError(f"the checkpoint's {component} is {config!r}; call Checkpoint.require first")
        return config

    @property
    def vae(self) -> VaeConfig | None:
        """The autoencoder's config, None if the file has none."""
        return self.config("vae", VaeConfig) if "vae" in self.nets else None

    def require(self, component: str, header: Header) -> None:
        """ModelFileError if the file lacks the component."""
        if component not in self.components:
            raise ModelFileError(
                f"{header.path} has no {TITLES[component]}",
                code="model_component_missing",
                expected=f"a file with a {TITLES[component]}",
                found=" and ".join(TITLES[part] for part in self.components),
                remedy="Use a complete checkpoint, or load this component from another file.",
            )
