"""What a running node may ask for: Protocols only, so that nodes, engine and tests share one contract.

`Context` is injected into a node that has a parameter of that type; nothing else is ambient. The weights
behind a recipe are reached with `with ctx.models.use(recipe) as live:`, and the classes below say what
`live` can do. Implementations live in `nodegraph.diffusion` and `nodegraph.execution`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Generator, Iterator, Mapping, MutableMapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cached_property
from logging import Logger
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeVar, overload, runtime_checkable

from nodegraph.errors import InputError
from nodegraph.values import ConditioningEntry, Image, JsonScalar, Model, ModelFile, TextEncoder, Vae

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from nodegraph.modelfiles.families import Checkpoint


ACCELERATIONS = ("compile", "graphs", "channels-last")
"""What denoisers may be asked to do for speed (`docs/memory.md`, "Faster steps")."""

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


def accelerations(names: str) -> tuple[str, ...]:
    """`off`, or one or more of `ACCELERATIONS` with commas between them, in the order of those.

    InputError for other names.
    """
    asked = [name.strip() for name in names.split(",")] if names != "off" else []
    unknown = [name for name in asked if name not in ACCELERATIONS]
    if unknown:
        raise InputError(
            "the acceleration is unknown", input="accelerate", found=f"'{unknown[0]}'",
            expected=f"off, or some of {', '.join(ACCELERATIONS)} with commas between them",
        )  # fmt: skip
    return tuple(name for name in ACCELERATIONS if name in asked)


class Noising(Protocol):
    """How a model's noisy latents are made of data and noise, and the noise levels it knows."""

    @property
    def table(self) -> Tensor:
        """float32 [T], ascending: its noise levels, one for every training timestep."""
        ...

    @property
    def flow(self) -> bool:
        """Whether x = (1 - sigma) * x0 + sigma * noise; otherwise x = x0 + sigma * noise."""
        ...

    def sigma_of(self, timestep: Tensor) -> Tensor:
        """The level at a timestep (in the unit of the model's own network), which may be fractional."""
        ...

    def timestep_of(self, sigma: Tensor) -> Tensor:
        """The timestep that the network is given for a level."""
        ...

    def sigma_at(self, fraction: float) -> float:
        """The level after a fraction (0 to 1) of the way from noise to picture; 0: above all, 1: zero."""
        ...

    def noised(self, x0: Tensor, noise: Tensor, sigma: Tensor | float, *, full: bool = False) -> Tensor:
        """x of a level; `full`: at the top of the schedule, where noise stands in for the data as well."""
        ...

    def clean(self, x: Tensor, sigma: Tensor | float) -> Tensor:
        """x on the scale of clean data, for a run that ends at a level above zero."""
        ...


class LiveDenoiser(Protocol):
    """A denoiser with its weights on a device, and the noise levels it was trained on."""

    @property
    def device(self) -> torch.device: ...

    @property
    def sigmas(self) -> Tensor:
        """float32 [T], ascending: the noise level of every training timestep (the table of `noising`)."""
        ...

    @property
    def noising(self) -> Noising:
        """How x is made of x0 and noise, and the levels."""
        ...

    def denoise(self, x: Tensor, sigma: Tensor, tokens: Tensor) -> Tensor:
        """The clean estimate x0 [B,C,h,w] for x as `noising` makes it; sigma [B], tokens [B,T,D]."""
        ...


@dataclass(frozen=True, eq=False, slots=True)
class Extras:
    """What a network is given besides x, its timestep and the tokens: one row for each of x's, float32.

    pooled [B,P]; guidance [B], the scale that a distilled model is told; beside [B,C,h,w], a latent in the
    VAE's own space, and mask [B,H,W], 1 = repaint; references [B,C,h',w'], latents in that space;
    sizes [B,n], the numbers that go with the pooled vector.
    """

    pooled: Tensor | None = None
    guidance: Tensor | None = None
    beside: Tensor | None = None
    mask: Tensor | None = None
    references: tuple[Tensor, ...] = ()
    sizes: Tensor | None = None


@runtime_checkable
class TakesExtras(Protocol):
    """A live denoiser whose network uses more of a prompt than its tokens."""

    def given(self, extras: Extras) -> LiveDenoiser:
        """The same denoiser for prompts with these extras. InputError where they do not fit."""
        ...


@runtime_checkable
class TellsWays(Protocol):
    """A live denoiser whose steps may be compiled or replayed, and which tells what they were."""

    def ways(self) -> Mapping[str, int]:
        """Steps since it was made, by the way they went and, where that is not the way asked for, why.

        For example `{"replayed": 40, "eager: there is no room for a captured step": 2}`.
        """
        ...


class LiveTextEncoder(Protocol):
    """A text encoder with its tokenizer and weights."""

    def encode(self, text: str) -> ConditioningEntry:
        """Tokens [1,T,D] of a prompt, float32."""
        ...


class Tiling(NamedTuple):
    """Side of a square tile and by how much it overlaps the next, in pixels of the picture."""

    size: int
    overlap: int


class LiveVae(Protocol):
    """An autoencoder with its weights on a device. Without a tiling a picture is done in one piece."""

    def encode(self, pixels: Tensor, tiling: Tiling | None = None) -> Tensor:
        """Pixels [B,H,W,3] in 0 to 1 -> mean latents [B,C,H/f,W/f] in the VAE's own space, float32."""
        ...

    def decode(self, samples: Tensor, tiling: Tiling | None = None) -> Tensor:
        """Latents [B,C,h,w] in the VAE's own space -> pixels [B,H,W,3], clamped to 0 to 1, float32."""
        ...

    def tiling_for(self, width: int, height: int) -> Tiling | None:
        """Tiles for a picture of that size, where it needs more memory than is free now; else None."""
        ...


class Previewer(Protocol):
    """Draws small pictures of latents, at next to no cost."""

    def __call__(self, samples: Tensor) -> Image:
        """Latents [B,C,h,w] in the VAE's own space -> pictures [B,h,w,3], one pixel for each latent cell."""
        ...


class ModelStore(Protocol):
    """The one place that turns recipes into weights on a device, within a budget."""

    @overload
    def use(self, recipe: Model) -> AbstractContextManager[LiveDenoiser]: ...
    @overload
    def use(self, recipe: TextEncoder) -> AbstractContextManager[LiveTextEncoder]: ...
    @overload
    def use(self, recipe: Vae) -> AbstractContextManager[LiveVae]: ...

    def inspect(self, file: ModelFile) -> Checkpoint:
        """What the file holds, told from its header and, for some families, one small tensor."""
        ...

    def previewer(self, model: Model) -> Previewer | None:
        """What draws small pictures of that model's latents. None where nothing tells their colours."""
        ...

    def counters(self) -> Mapping[str, int]:
        """How often files were read, modules built and entries evicted since the store was made."""
        ...


class StepNoise(Protocol):
    """Noise of a sampler's steps: unit variance [B,C,h,w] for the interval from sigma to sigma_next."""

    def __call__(self, sigma: float, sigma_next: float) -> Tensor: ...


class Sampler(Protocol):
    """A sampler: a plain function that follows the sigmas from x to a clean latent.

    denoise(x, sigma) gives x0 for x [B,C,h,w] and a 0-dimensional sigma; on_step(index, x, x0) is called
    after every step and may raise to stop.
    """

    def __call__(
        self,
        denoise: Callable[[Tensor, Tensor], Tensor],
        x: Tensor,
        sigmas: Tensor,
        noise: StepNoise,
        on_step: Callable[[int, Tensor, Tensor], None],
    ) -> Tensor: ...


class Scheduler(Protocol):
    """A scheduler: `steps` + 1 descending noise levels, float32, ending in 0, from the levels of a model."""

    def __call__(self, noising: Noising, steps: int) -> Tensor: ...


class Files(Protocol):
    """Files by kind (`checkpoints`, `loras`, `images`, …) and name or content hash."""

    def get(self, kind: str, name: str) -> ModelFile:
        """The file of that name, with its content hash. InputError with near names if there is none."""
        ...

    def path(self, file: ModelFile) -> Path:
        """Where the content with that hash lies now."""
        ...


@dataclass(frozen=True, slots=True)
class Shortage:
    """Memory ran out: where, how many bytes were wanted at once (None: unknown), are free now, were freed."""

    where: str
    wanted: int | None
    free: int
    freed: int = 0


@dataclass(frozen=True, slots=True)
class Artifact:
    """A file that a node saved: its path, media type, and the size in bytes."""

    path: Path
    media_type: str
    size: int


@dataclass(frozen=True)
class RunRecord:
    """What travels inside a saved picture: the document, the resolved inputs and how it was made."""

    written: Mapping[str, Any] | Callable[[], Mapping[str, Any]]
    """The document as JSON data, or what writes it: most runs save nothing that holds it."""
    inputs: Mapping[str, Any]
    run: MutableMapping[str, Any]

    def add_steps(self, node: str, ways: Mapping[str, int]) -> None:
        """Note which way a node's denoiser steps went; what is saved from now on tells it."""
        known = Counter(self.run.get("steps", {}).get(node, {}))
        self.run["steps"] = {**self.run.get("steps", {}), node: dict(known + Counter(ways))}

    @cached_property
    def document(self) -> Mapping[str, Any]:
        """The document as JSON data."""
        return self.written() if callable(self.written) else self.written


class Lazy(Protocol[T_co]):
    """An input that runs its branch only when it is awaited: `value = await then`."""

    def __await__(self) -> Generator[Any, None, T_co]: ...


class Gives(Protocol[T_co]):
    """A subgraph of a graph that is being built, for type checkers: they read what it gives."""

    @property
    def gives(self) -> T_co: ...


BodyOf = str | Gives[T]
"""A subgraph that a node runs: when the node runs its name, `#name`; while a graph is built, the subgraph."""


@dataclass(frozen=True, eq=False, slots=True)
class Keyed:
    """A value with the key of where it comes from, so that what is made of it can be cached.

    lasting: whether that may be on disk: no volatile node had a part in it.
    """

    value: Any
    key: str
    lasting: bool = True


class Context(Protocol):
    """What a node may use besides its inputs."""

    @property
    def node(self) -> str:
        """The id of the node that runs."""
        ...

    @property
    def models(self) -> ModelStore: ...

    @property
    def files(self) -> Files: ...

    @property
    def mentioned(self) -> Sequence[tuple[str, str]]:
        """The (kind, name) of files that this node's literals speak of, as its key counts them."""
        ...

    @property
    def tight(self) -> bool:
        """Whether memory ran out when the node ran just before: this time it should take less."""
        ...

    @property
    def log(self) -> Logger: ...

    @property
    def record(self) -> RunRecord:
        """The record to store inside what this run saves."""
        ...

    def steps(self, count: int) -> Iterator[int]:
        """Count from 0 to count - 1, reporting progress and stopping when the run is cancelled."""
        ...

    @property
    def watched(self) -> bool:
        """Whether somebody watches unfinished results. Where nobody does, make nothing for previews."""
        ...

    def progress(self, done: int, total: int, preview: Callable[[], Image] | None = None) -> None:
        """Report that `done` of `total` steps are finished. Raises when the run is cancelled.

        `preview` draws the unfinished result. It is called only where somebody watches, after every step,
        or, where there are many, after at most 50 of them, evenly spread and with the last.
        """
        ...

    def show(self, image: Image) -> None:
        """Show a finished picture, without saving it."""
        ...

    def check_cancelled(self) -> None:
        """Raise if the run was cancelled; long work calls it now and then."""
        ...

    def choice(self, registry: str, name: str) -> Any:
        """The object that a plugin registered under that name, such as a `Sampler`."""
        ...

    def keyed(self, input: str) -> Keyed:
        """One of the node's inputs with its key. InputError for an input that was not given."""
        ...

    def items(self, input: str) -> list[Keyed]:
        """The items of a list input, each with a key of its own."""
        ...

    def literal(self, value: JsonScalar) -> Keyed:
        """A plain value with the key that equal values share."""
        ...

    async def run(self, body: BodyOf[Any], inputs: Mapping[str, Keyed], step: str) -> Mapping[str, Keyed]:
        """Run a subgraph (`#name`) of the document and give its outputs by name.

        Inputs that the subgraph does not have are left out. `step` names this run in events and messages
        (`loop/3/…`). Raises RunFailedError when nodes inside failed.
        """
        ...

    async def run_each(
        self, body: BodyOf[Any], inputs: Sequence[Mapping[str, Keyed]]
    ) -> list[Mapping[str, Keyed]]:
        """Run a subgraph once for each of these inputs, several at a time; the outputs come in their order.

        Steps are named by their number, and progress counts those that are finished. The first failure
        stops the others. A subgraph that saves or shows something runs in order, one after another.
        """
        ...

    def save(self, prefix: str, suffix: str, media_type: str, write: Callable[[Path], None]) -> Artifact:
        """Save a new file named `prefix`_00001 (and so on) in the output folder.

        `write(path)` writes a temporary file that is then renamed into place, so that no half file is
        ever seen and no file is ever overwritten.
        """
        ...
