"""The values that travel on edges: frozen, hashable by identity, and free of torch at import.

Tensors are float32 on any device unless stated. Nothing here computes; a value is what one node hands
to the next, and its class is the socket's type.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, eq=False, slots=True)
class Image:
    """A batch of pictures: float32 [B,H,W,C], C 3 (RGB) or 4 (RGBA, not premultiplied), range 0 to 1."""

    pixels: Tensor

    def __repr__(self) -> str:
        return f"<Image {_form(self.pixels)}>"

    def __post_init__(self) -> None:
        if self.pixels.ndim != 4 or self.pixels.shape[-1] not in (3, 4):
            raise ValueError(f"an image is [B,H,W,C] with 3 or 4 channels, not {list(self.pixels.shape)}")

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return int(self.pixels.shape[2]), int(self.pixels.shape[1])

    def map(self, function: Callable[[Tensor], Tensor]) -> Image:
        """A new image whose pixels are `function(pixels)`."""
        return Image(function(self.pixels))


@dataclass(frozen=True, eq=False, slots=True)
class Mask:
    """A batch of masks: float32 [B,H,W], 1 = change here, 0 = keep."""

    values: Tensor

    def __repr__(self) -> str:
        return f"<Mask {_form(self.values)}>"

    def __post_init__(self) -> None:
        if self.values.ndim != 3:
            raise ValueError(f"a mask is [B,H,W], not {list(self.values.shape)}")


@dataclass(frozen=True, slots=True)
class LatentFormat:
    """How a VAE's own latents relate to the space the denoiser works in: z = (x - shift) * scale."""

    name: str
    channels: int
    down: int
    scale: float
    shift: float = 0.0


@dataclass(frozen=True, slots=True)
class NoiseSchedule:
    """The noise levels that a denoiser was trained on.

    kind: "scaled_linear" (1000 steps of the root-linear beta of latent diffusion), "linear" (linear beta),
    "edm" (log-uniform), "flow" and "flux" (sigma from 0 to 1); zero_terminal_snr: the last level is pure
    noise (Lin et al. 2024); shift: of a flow, t' = shift t / (1 + (shift - 1) t);
    multiplier: a flow network is told sigma times this.
    """

    kind: str = "scaled_linear"
    zero_terminal_snr: bool = False
    shift: float = 1.0
    multiplier: float = 1000.0


SD1_LATENT = LatentFormat("sd1", channels=4, down=8, scale=0.18215)
ANY_LATENT = "any"
"""The format of an autoencoder in a file of its own, whose tensors do not tell the family."""
SDXL_LATENT = LatentFormat("sdxl", channels=4, down=8, scale=0.13025)


@dataclass(frozen=True, eq=False, slots=True)
class Latent:
    """A batch of latents in the VAE's own (unscaled) space.

    samples: float32 [B,C,h,w]; noise_mask: 1 = repaint here (any size, resized to the latent);
    batch_index: the noise index of each image, so that image i of a batch can be made alone.
    """

    samples: Tensor
    format: LatentFormat = SD1_LATENT
    noise_mask: Mask | None = None
    batch_index: tuple[int, ...] | None = None

    def __repr__(self) -> str:
        mask = f", noise mask {_form(self.noise_mask.values)}" if self.noise_mask is not None else ""
        index = f", batch index {list(self.batch_index)}" if self.batch_index is not None else ""
        return f"<Latent {_form(self.samples)}, format {self.format.name}{mask}{index}>"

    def __post_init__(self) -> None:
        if self.samples.ndim != 4:
            raise ValueError(f"a latent is [B,C,h,w], not {list(self.samples.shape)}")
        if self.batch_index is not None and len(self.batch_index) != self.samples.shape[0]:
            raise ValueError(
                f"a latent of {self.samples.shape[0]} images has {len(self.batch_index)} batch indices"
            )

    @property
    def indices(self) -> tuple[int, ...]:
        """The noise index of every image: `batch_index`, or 0, 1, 2 … where it is not set."""
        return self.batch_index if self.batch_index is not None else tuple(range(self.samples.shape[0]))

    def with_samples(self, samples: Tensor) -> Latent:
        """The same latent (format, mask, indices) with other samples."""
        return replace(self, samples=samples)


@dataclass(frozen=True, slots=True)
class Area:
    """A rectangle of a picture, in pixels or in fractions of its sides; (x, y) is the upper left corner."""

    width: float
    height: float
    x: float = 0.0
    y: float = 0.0
    unit: Literal["pixels", "fraction"] = "pixels"


@dataclass(frozen=True, eq=False, slots=True)
class ConditioningEntry:
    """One prompt as the denoiser sees it: tokens float32 [B,T,D], pooled float32 [B,P] or None.

    strength: its weight beside other entries; area and mask: where it counts (the mask's values times
    mask_strength are weights); start and end: when, as fractions of the training timesteps from the noisy
    side, 0 to 1.
    guidance: the scale that a distilled model is told (FLUX.1 dev); beside: a latent picture that the
    network sees beside the noisy one (control, editing, inpainting: its noise mask says where to repaint);
    references: latent pictures of any size that it may look at (FLUX.1 Kontext); sizes: the numbers that an
    SDXL network is told with the pooled vector (height, width, crop top and left, then target height and
    width, or for the refiner an aesthetic score from 0 to 10), None for those of the picture itself.
    """

    tokens: Tensor
    pooled: Tensor | None = None
    strength: float = 1.0
    area: Area | None = None
    mask: Mask | None = None
    mask_strength: float = 1.0
    start: float = 0.0
    end: float = 1.0
    guidance: float | None = None
    beside: Latent | None = None
    references: tuple[Latent, ...] = ()
    sizes: tuple[float, ...] | None = None

    def __repr__(self) -> str:
        pooled = f", pooled {_form(self.pooled)}" if self.pooled is not None else ""
        return f"<ConditioningEntry {_form(self.tokens)}{pooled}>"


@dataclass(frozen=True, eq=False, slots=True)
class Conditioning:
    """What guides the denoiser: one or more entries whose predictions are averaged."""

    entries: tuple[ConditioningEntry, ...]

    def __repr__(self) -> str:
        return f"<Conditioning of {', '.join(_form(entry.tokens) for entry in self.entries)}>"


@dataclass(frozen=True, eq=False, slots=True)
class Sigmas:
    """Noise levels of a run: float32 [n+1], descending, usually ending in 0."""

    values: Tensor

    def __repr__(self) -> str:
        return f"<Sigmas {_form(self.values)}>"


JsonScalar = bool | int | float | str | None


@dataclass(frozen=True, slots=True)
class Noise:
    """Where a run's noise comes from: a seed, 0 to 2^64 - 1.

    initial: whether noise is added to the latent at the start. Noise of later steps (of samplers that want
    it) comes from the seed in any case.
    """

    seed: int = 0
    initial: bool = True


@dataclass(frozen=True, slots=True)
class Sampler:
    """A sampler by its name in the registry `samplers`, and its options, sorted by name."""

    name: str
    options: tuple[tuple[str, JsonScalar], ...] = ()

    @classmethod
    def of(cls, name: str, **options: JsonScalar) -> Sampler:
        """A sampler with named options, in the one order that makes equal samplers equal."""
        return cls(name, tuple(sorted(options.items())))


@dataclass(frozen=True, slots=True)
class ModelFile:
    """A model file by content: `hash` identifies it, `name` (relative to its folder) is for people."""

    hash: str
    name: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Patch:
    """One change to a model: a kind known by name (`lora`, …) and its parameters, sorted by name."""

    kind: str
    params: tuple[tuple[str, JsonScalar], ...]

    @classmethod
    def of(cls, kind: str, **params: JsonScalar) -> Patch:
        """A patch with named parameters, in the one order that makes equal patches equal."""
        return cls(kind, tuple(sorted(params.items())))

    def get(self, name: str) -> Any:
        """The parameter of that name. KeyError if the patch has none."""
        return dict(self.params)[name]


@dataclass(frozen=True, slots=True)
class Recipe:
    """How to make weights: a base file, its family, and ordered patches. Weights never travel on edges."""

    base: ModelFile
    family: str
    patches: tuple[Patch, ...] = ()


@dataclass(frozen=True, slots=True)
class Model(Recipe):
    """The denoiser of a checkpoint (UNet or transformer).

    prediction: "eps", "v", "edm" or "flow"; variant: its habits, where the family has several.
    """

    prediction: str = "eps"
    latent_format: LatentFormat = SD1_LATENT
    schedule: NoiseSchedule = NoiseSchedule()
    variant: str = ""

    def patched(self, patch: Patch) -> Model:
        """The same model with one more patch."""
        return replace(self, patches=(*self.patches, patch))


@dataclass(frozen=True, slots=True)
class Guider:
    """A model and the prompts that guide it, with the rule that combines their predictions.

    rule: "basic", "cfg" or "dual_cfg"; prompts by name (`positive`, `second`, `negative`); options of the
    rule by name, such as `cfg`.
    """

    model: Model
    rule: str
    prompts: tuple[tuple[str, Conditioning], ...]
    options: tuple[tuple[str, JsonScalar], ...] = ()

    def __repr__(self) -> str:
        return f"<Guider {self.rule} of {', '.join(name for name, _ in self.prompts)}>"


@dataclass(frozen=True, slots=True)
class TextEncoder(Recipe):
    """The text encoders of a checkpoint with their tokenizers.

    layers_skipped: 0 takes the last layer of CLIP, 1 the one before …; None what the family takes.
    others: files that hold encoders of the family which the base lacks.
    """

    layers_skipped: int | None = None
    others: tuple[ModelFile, ...] = ()

    def patched(self, patch: Patch) -> TextEncoder:
        """The same encoder with one more patch."""
        return replace(self, patches=(*self.patches, patch))


@dataclass(frozen=True, slots=True)
class Vae(Recipe):
    """The autoencoder of a checkpoint."""

    latent_format: LatentFormat = SD1_LATENT


def _form(tensor: Tensor) -> str:
    """Shape and dtype, and the device if it is another than the CPU: data would fill the screen."""
    dtype = str(tensor.dtype).removeprefix("torch.")
    device = "" if tensor.device.type == "cpu" else f" on {tensor.device}"
    return f"{list(tensor.shape)} {dtype}{device}"
