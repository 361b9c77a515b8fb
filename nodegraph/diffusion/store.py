"""The model store: the one place that turns recipes into weights on a device, within a budget."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from typing import Any, NamedTuple, overload

import torch
from torch import Tensor

from nodegraph.diffusion.basefile import BaseFile
from nodegraph.diffusion.builders import (
    Source,
    TokenizerSource,
    build_denoiser,
    build_text_encoder,
    build_vae,
    tokenizer_of_file,
)
from nodegraph.diffusion.device import choose_device, choose_precision, execution_profile
from nodegraph.diffusion.lora import LORA
from nodegraph.diffusion.patching import Bench, FileTensors, PatchKind, Target, overlay
from nodegraph.diffusion.previews import PreviewMap, fit_preview
from nodegraph.diffusion.residency import Residency, Resident
from nodegraph.diffusion.weights import byte_size, read_tensors
from nodegraph.modelfiles.families import FAMILIES, TITLES, Checkpoint, Family
from nodegraph.modelfiles.safetensors_header import Header, read_header
from nodegraph.modelfiles.sources import renamed
from nodegraph.runtime import Files, LiveDenoiser, LiveTextEncoder, LiveVae, Previewer
from nodegraph.values import Image, Model, ModelFile, Recipe, TextEncoder, Vae

PATCH_KINDS: Mapping[str, PatchKind] = {"lora": LORA}
"""The patch kinds of this library; a plugin's store gets a table with more rows."""


class _Slot(NamedTuple):
    """Where a recipe's weights go: component of the file, target of patches, dtype of the computation."""

    component: str
    target: Target
    dtype: torch.dtype


class Store:
    """Satisfies `nodegraph.runtime.ModelStore`.

    The tensors of a component are read once per file, dtype and device, and shared by all recipes of that
    file; a patched recipe adds only the tensors that its patches change. Base tensors are never written
    to, so recipes of one base can run at once and removing a patch is exact. `Residency` documents what
    is evicted when the budget is full.
    """

    def __init__(
        self,
        files: Files,
        device: str = "auto",
        dtype: str = "auto",
        budget_bytes: int | None = None,
        *,
        patch_kinds: Mapping[str, PatchKind] = PATCH_KINDS,
        tokenizer_source: TokenizerSource = tokenizer_of_file,
        families: Sequence[Family] = FAMILIES,
    ) -> None:
        """budget_bytes: memory for weights (None: no limit). InputError: no such device or dtype."""
        self.device = choose_device(device)
        self.precision = choose_precision(dtype, self.device)
        self._files = files
        self._kinds = patch_kinds
        self._tokenizer_source = tokenizer_source
        self._families = families
        self._resident = Residency(budget_bytes)
        self._lock = threading.Lock()
        self._headers: dict[str, Header] = {}
        self._bases: dict[str, BaseFile] = {}
        self._counts = {"file_reads": 0, "builds": 0, "patched_tensors": 0, "preview_fits": 0, "previews": 0}

    @property
    def profile(self) -> str:
        """The execution profile: what besides its inputs decides the bits of a result."""
        return execution_profile(self.device, self.precision)

    @overload
    def use(self, recipe: Model) -> AbstractContextManager[LiveDenoiser]: ...
    @overload
    def use(self, recipe: TextEncoder) -> AbstractContextManager[LiveTextEncoder]: ...
    @overload
    def use(self, recipe: Vae) -> AbstractContextManager[LiveVae]: ...

    def use(self, recipe: Recipe) -> AbstractContextManager[Any]:
        """The recipe's live object, in memory until the `with` ends and for as long as the budget allows.

        ModelFileError: the file is missing, damaged, of another family or lacks the component. InputError:
        a patch of an unknown kind, or of one that is not made for this target.
        """
        if isinstance(recipe, Model):
            slot = _Slot("denoiser", "denoiser", self.precision.denoiser)
            return self._live(recipe, slot, partial(build_denoiser, recipe))
        if isinstance(recipe, TextEncoder):
            slot = _Slot("clip_l", "text_encoder", self.precision.text)
            return self._live(recipe, slot, partial(build_text_encoder, recipe, self._tokenizer_source))
        if isinstance(recipe, Vae):
            return self._live(recipe, _Slot("vae", "autoencoder", self.precision.vae), build_vae)
        raise TypeError(f"no live object for a {type(recipe).__name__}")

    def inspect(self, file: ModelFile) -> Checkpoint:
        """What the file holds. ModelFileError where it is no supported model."""
        return self._base(file).checkpoint

    def previewer(self, model: Model) -> Previewer | None:
        """What draws small pictures of the model's latents: a map fitted to the autoencoder of its file.

        The fit is made once for a file and kept. None if the file has no autoencoder to fit it to.
        """
        base = self._base(model.base)
        if "vae" not in base.checkpoint.components:
            return None

        def fit() -> tuple[PreviewMap, int]:
            with self.use(Vae(model.base, model.family, latent_format=model.latent_format)) as vae:
                drawn = fit_preview(vae, model.latent_format)
            self._count("preview_fits", 1)
            return drawn, byte_size({"factors": drawn.factors, "bias": drawn.bias})

        key = ("preview", model.base.hash)
        with self._resident.hold(key, fit, what="preview colours", owner=base.title) as drawn:
            return partial(self._draw, drawn)

    def _draw(self, drawn: PreviewMap, samples: Tensor) -> Image:
        self._count("previews", 1)
        return drawn(samples)

    def counters(self) -> Mapping[str, int]:
        """Since the store was made: `file_reads` (components or patch files read), `builds` (networks
        made), `patched_tensors`, `preview_fits`, `previews`, `evictions`; and `resident_bytes` now."""
        with self._lock:
            counts = dict(self._counts)
        return counts | {"evictions": self._resident.evictions, "resident_bytes": self._resident.used_bytes}

    def explain(self) -> list[Resident]:
        """Every resident entry with its bytes, owner and reason, the largest first."""
        return self._resident.explain()

    @contextmanager
    def _live(self, recipe: Recipe, slot: _Slot, build: Callable[[Source], object]) -> Iterator[object]:
        base = self._base(recipe.base)
        base.check(recipe.family, slot.component)
        tensors_key = ("tensors", recipe.base.hash, slot.component)
        with self._tensors(tensors_key, base, slot) as tensors:

            def make() -> tuple[object, int]:
                changed = self._changed(recipe, slot, base, tensors)
                live = build(Source(base.header, base.checkpoint, {**tensors, **changed}))
                self._count("builds", 1)
                return live, byte_size(changed)

            count = len(recipe.patches)
            patches = f" with {count} patch{'es' if count > 1 else ''}" if count else ""
            with self._resident.hold(
                ("live", recipe),
                make,
                what=f"{TITLES[slot.component]}{patches}",
                owner=base.title,
                needs=(tensors_key,),
            ) as live:
                yield live

    def _tensors(
        self, key: tuple[str, ...], base: BaseFile, slot: _Slot
    ) -> AbstractContextManager[dict[str, Tensor]]:
        """The base tensors of a component, on the device."""

        def read() -> tuple[dict[str, Tensor], int]:
            tensors = read_tensors(base.header, base.names[slot.component], self.device, slot.dtype)
            self._count("file_reads", 1)
            return tensors, byte_size(tensors)

        size = slot.dtype.itemsize * base.elements(slot.component)
        what = f"{TITLES[slot.component]} weights, {str(slot.dtype).removeprefix('torch.')}"
        return self._resident.hold(key, read, what=what, owner=base.title, expected_bytes=size)

    def _changed(
        self, recipe: Recipe, slot: _Slot, base: BaseFile, tensors: dict[str, Tensor]
    ) -> dict[str, Tensor]:
        """The tensors that the recipe's patches change: new ones over the base."""

        def bench(weights: Mapping[str, Tensor]) -> Bench:
            return Bench(weights, base.shapes, self._patch_file)

        changed = overlay(tensors, recipe.patches, slot.target, self._kinds, bench)
        self._count("patched_tensors", len(changed))
        return changed

    def _patch_file(self, content_hash: str) -> AbstractContextManager[FileTensors]:
        """A whole file, on the CPU; kept for the next change of strength while there is room."""
        header = self._header(ModelFile(content_hash))

        def read() -> tuple[FileTensors, int]:
            names = renamed({name: name for name in header.tensors})
            tensors = read_tensors(header, names, torch.device("cpu"))
            self._count("file_reads", 1)
            return FileTensors(header, tensors), byte_size(tensors)

        size = sum(info.end - info.begin for info in header.tensors.values())
        key = ("file", content_hash)
        return self._resident.hold(key, read, what="patch file", owner=header.path.name, expected_bytes=size)

    def _header(self, file: ModelFile) -> Header:
        with self._lock:
            known = self._headers.get(file.hash)
        path = self._files.path(file)
        if known is not None and known.path == path:
            return known
        header = read_header(path)
        with self._lock:
            self._headers[file.hash] = header
        return header

    def _base(self, file: ModelFile) -> BaseFile:
        header = self._header(file)
        with self._lock:
            known = self._bases.get(file.hash)
        if known is not None and known.header is header:
            return known
        base = BaseFile.understand(header, self._families)
        with self._lock:
            self._bases[file.hash] = base
        return base

    def _count(self, name: str, amount: int) -> None:
        with self._lock:
            self._counts[name] += amount
