"""The model store: the one place that turns recipes into weights on a device, within a budget."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Hashable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from functools import partial
from typing import Any, NamedTuple, overload

import torch
from torch import Tensor

from nodegraph.diffusion.acceleration.attach import Accelerator
from nodegraph.diffusion.acceleration.shelf import StepShelf
from nodegraph.diffusion.autoencoder import LiveAutoencoder
from nodegraph.diffusion.basefile import BaseFile, KnownFiles
from nodegraph.diffusion.builders import (
    Source,
    T5TokenizerSource,
    Tokenizers,
    TokenizerSource,
    build_denoiser,
    build_text_part,
    build_vae,
    t5_tokenizer_beside,
    tokenizer_of_file,
)
from nodegraph.diffusion.device import choose_device, choose_precision, execution_profile
from nodegraph.diffusion.encoders import declared_encoders, places
from nodegraph.diffusion.guidance.patches import SAMPLING_KINDS
from nodegraph.diffusion.loras import LORA
from nodegraph.diffusion.patching import (
    Bench,
    FileTensors,
    PatchKind,
    Scope,
    Target,
    overlay,
    with_weight_patches,
)
from nodegraph.diffusion.placement import Budgets, ModelMemoryError, Tier
from nodegraph.diffusion.previews import PreviewMap, fit_preview
from nodegraph.diffusion.relief import is_shortage, shortage_of
from nodegraph.diffusion.residency import Residency, Resident, Room
from nodegraph.diffusion.streaming import Courier, Streamer, ThreadCourier, blocks_of, placeholder
from nodegraph.diffusion.text.embeddings import KIND, Embedding
from nodegraph.diffusion.text.parts import Part, PromptEncoder
from nodegraph.diffusion.weights import byte_size, read_tensors
from nodegraph.modelfiles.families import FAMILIES, TITLES, Checkpoint, Family
from nodegraph.modelfiles.safetensors_header import Header
from nodegraph.modelfiles.sources import Sources, renamed
from nodegraph.runtime import Files, LiveDenoiser, LiveTextEncoder, LiveVae, Previewer, Shortage
from nodegraph.values import Image, Model, ModelFile, Patch, Recipe, TextEncoder, Vae

PATCH_KINDS: Mapping[str, PatchKind] = {"lora": LORA}
"""The patch kinds of this library; a plugin's store gets a table with more rows."""


class _Slot(NamedTuple):
    """Where a recipe's weights go: component of the file, target of patches, dtype of the computation."""

    component: str
    target: Target
    dtype: torch.dtype


class _Weights(NamedTuple):
    """The base tensors of a component: those on the device, and the names of those that are streamed."""

    tensors: dict[str, Tensor]
    streamed: tuple[str, ...] = ()


class _Live:
    """A live object; where its blocks are streamed, what feeds it and the copy on the host to feed from."""

    def __init__(self, live: object) -> None:
        self.live = live
        self.streamer: Streamer | None = None
        self.master: Mapping[str, Tensor] | None = None


class Store:
    """Satisfies `nodegraph.runtime.ModelStore`.

    The tensors of a component are read once per file, dtype and device, and shared by all recipes of that
    file; a patched recipe adds only the tensors that its patches change. Base tensors are never written
    to, so recipes of one base can run at once and removing a patch is exact. A model that does not fit
    into the budget of the device is streamed through it. `docs/memory.md` says what is evicted when.
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
        t5_tokenizer_source: T5TokenizerSource = t5_tokenizer_beside,
        families: Sequence[Family] = FAMILIES,
        host_budget_bytes: int | None = None,
        courier: Callable[[torch.device], Courier] = ThreadCourier,
        shared_memory: bool | None = None,
        accelerate: str | Accelerator = "off",
    ) -> None:
        """budget_bytes: memory for weights on the device (None: no limit); host_budget_bytes: for what waits
        in main memory beside a GPU. Where both are one memory (shared_memory; None: on a CPU) there is one
        budget, the first. courier: what brings streamed blocks to the device. accelerate: see
        `nodegraph.runtime.accelerations`.

        InputError: no such device, dtype or acceleration.
        """
        self.device = choose_device(device)
        self.precision = choose_precision(dtype, self.device)
        self._files = files
        self._kinds = patch_kinds
        self._tokenizers = Tokenizers(tokenizer_source, t5_tokenizer_source)
        self._families = families
        self._shared_memory = self.device.type == "cpu" if shared_memory is None else shared_memory
        self._resident = Residency(Budgets(budget_bytes, 0 if self._shared_memory else host_budget_bytes))
        self._steps = StepShelf(self._resident)
        self._courier = courier
        self._accelerator = (
            Accelerator(accelerate, self.device) if isinstance(accelerate, str) else accelerate
        )
        self._lock = threading.Lock()
        known = KnownFiles(files, families)
        self._header, self._base = known.header, known.base
        self._counts = {"file_reads": 0, "builds": 0, "patched_tensors": 0, "preview_fits": 0, "previews": 0}
        self._counts |= dict.fromkeys(("streamed_blocks", "misguided_blocks", "file_blocks", "vae_tiles"), 0)
        self._counts |= dict.fromkeys(("eager_steps", "compiled_steps", "captures", "replayed_steps"), 0)

    @property
    def profile(self) -> str:
        """The execution profile: what besides its inputs decides the bits of a result."""
        return execution_profile(self.device, self.precision) + self._accelerator.asked.profile

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
            recipe = with_weight_patches(recipe, SAMPLING_KINDS)
            return self._live(recipe, slot, partial(build_denoiser, recipe))
        if isinstance(recipe, TextEncoder):
            return self._text_encoders(recipe)
        if isinstance(recipe, Vae):
            return self._live(recipe, _Slot("vae", "autoencoder", self.precision.vae), build_vae)
        raise TypeError(f"no live object for a {type(recipe).__name__}")

    @contextmanager
    def _embedding(self, patch: Patch) -> Iterator[Embedding]:
        """A learned word with the tensors of its file."""
        content_hash, name = patch.get("file"), patch.get("name")
        with self._patch_file(content_hash) as file:
            yield Embedding(name, file.tensors)

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

        key = ("preview", model.base.hash)
        with ExitStack() as stack:
            if not self._resident.has(key):  # first, so that it may wait for room: it is the larger one
                recipe = Vae(model.base, model.family, latent_format=model.latent_format)
                vae = stack.enter_context(self.use(recipe))

            def fit(room: Room) -> tuple[PreviewMap, int]:  # noqa: ARG001 - a build is told its room
                drawn = fit_preview(vae, model.latent_format)
                self._count("preview_fits", 1)
                return drawn, byte_size({"factors": drawn.factors, "bias": drawn.bias})

            held = self._resident.hold(key, fit, what="preview colours", owner=base.title)
            return partial(self._draw, stack.enter_context(held))

    def _draw(self, drawn: PreviewMap, samples: Tensor) -> Image:
        self._count("previews", 1)
        return drawn(samples)

    def counters(self) -> Mapping[str, int]:
        """Since the store was made: `file_reads` (components or patch files read), `builds` (networks
        made), `patched_tensors`, `preview_fits`, `previews`, `streamed_blocks` (brought to the device),
        `file_blocks` (of these, straight from the file), `misguided_blocks` (brought in vain), `vae_tiles`,
        `eager_steps` (of accelerated models), `compiled_steps`, `captures`, `replayed_steps`,
        `evictions`, `moved_to_host`, `moved_to_device`; and now `resident_bytes`, of it `device_bytes` and
        `host_bytes`.
        """
        with self._lock:
            counts = dict(self._counts)
        return counts | self._resident.counters()

    def relieve(self, error: BaseException) -> Shortage | None:
        """Let go of idle weights where an error says that memory ran out; None where it does not."""
        if not is_shortage(error):
            return None
        return shortage_of(error, self.device, self._resident.drop_idle())

    def explain(self) -> list[Resident]:
        """Every resident entry with its bytes, tier, owner and reason, the largest first."""
        return self._resident.explain()

    def pin(self, recipe: Model | TextEncoder | Vae) -> None:
        """Load the recipe's weights and keep them until `unpin`, whatever else needs room."""
        with self.use(recipe):
            for key in self._live_keys(recipe):
                self._resident.pin(key)

    def unpin(self, recipe: Model | TextEncoder | Vae) -> None:
        """Undo one `pin`. Nothing happens for what is not pinned."""
        for key in self._live_keys(recipe):
            self._resident.pin(key, by=-1)

    def _live_keys(self, recipe: Recipe) -> list[Hashable]:
        """The keys of what `use` holds for the recipe."""
        if isinstance(recipe, TextEncoder):
            found = places(recipe, self._families, self._base, partial(self._reach, recipe.family))
            return [_live_key(place.recipe, place.encoder.component) for place in found]
        return [_live_key(recipe, "denoiser" if isinstance(recipe, Model) else "vae")]

    @contextmanager
    def _text_encoders(self, recipe: TextEncoder) -> Iterator[PromptEncoder]:
        """All encoders of the recipe's family that its files hold, together."""
        with ExitStack() as stack:
            parts: dict[str, Part] = {}
            for encoder, part in places(
                recipe, self._families, self._base, partial(self._reach, recipe.family)
            ):
                slot = _Slot(encoder.component, "text_encoder", self.precision.text)
                build = partial(build_text_part, encoder, part.layers_skipped, self._tokenizers)
                live: Any = stack.enter_context(self._live(part, slot, build))
                parts[encoder.component] = live
            taught = [patch for patch in recipe.patches if patch.kind == KIND]
            words = [stack.enter_context(self._embedding(patch)) for patch in taught]
            yield PromptEncoder(declared_encoders(recipe, self._families), parts, words)

    @contextmanager
    def _live(self, recipe: Recipe, slot: _Slot, build: Callable[[Source], object]) -> Iterator[object]:
        base = self._base(recipe.base)
        base.check(recipe.family, slot.component)
        key = ("tensors", recipe.base.hash, slot.component)
        live_key = _live_key(recipe, slot.component)
        scope = self._scope(recipe, base, slot.target)
        known = self._resident.has(live_key)
        patched = frozenset() if known else scope.changes.get(slot.component, frozenset())
        files = () if known else self._files_to_come(scope)
        with ExitStack() as stack:
            weights = stack.enter_context(self._weights(key, base, slot, patched, sum(files)))
            needs: list[tuple[str, ...]] = [key]
            if weights.streamed or not known:
                for content_hash in scope.files:  # they must not go while they are read, which may be later
                    stack.enter_context(self._patch_file(content_hash))
            if weights.streamed:
                needs += [("file", content_hash) for content_hash in scope.files]
            size = base.sizes(slot.component, slot.dtype.itemsize)
            count = len(recipe.patches)
            patches = f" with {count} patch{'es' if count > 1 else ''}" if count else ""
            made: _Live = stack.enter_context(
                self._resident.hold(
                    live_key,
                    partial(self._build, recipe, slot, base, weights, build),
                    what=f"{TITLES[slot.component]}{patches}",
                    owner=base.title,
                    expected_bytes=sum(size[name] for name in patched.difference(weights.streamed)),
                    needs=tuple(needs),
                )
            )
            if made.streamer is None:
                yield made.live
                return
            stack.enter_context(made.streamer.lock)
            made.master = stack.enter_context(self._master(key, base, slot, weights))
            try:
                yield made.live
            finally:
                made.streamer.drain()

    def _build(
        self, recipe: Recipe, slot: _Slot, base: BaseFile, weights: _Weights,
        build: Callable[[Source], object], room: Room,  # noqa: ARG002 - a build is told its room
    ) -> tuple[_Live, int]:  # fmt: skip
        """The live object over the base tensors and those that the recipe's patches change."""
        changed = self._changed(recipe, slot, base, weights.tensors)
        shapes = base.shapes[slot.component]
        absent = {name: placeholder(shapes[name], slot.dtype, self.device) for name in weights.streamed}
        made = _Live(build(Source(base.header, base.checkpoint, {**weights.tensors, **changed, **absent})))
        if isinstance(made.live, LiveAutoencoder):
            made.live.count = self._count
        if absent:
            fetch = partial(self._fetch, made, recipe, slot, base)
            ahead = self._resident.placement(("tensors", recipe.base.hash, slot.component)).ahead
            made.streamer = Streamer(made.live, absent, fetch, self._courier(self.device), ahead, self._count)
        if slot.component == "denoiser":
            ground = ("tensors", recipe.base.hash, slot.component)
            keep = partial(self._steps.hold, ground=ground, owner=base.title)
            self._accelerator.attach(made.live, changed, streamed=bool(absent), keep=keep, count=self._count)
        self._count("builds", 1)
        return made, byte_size(changed)

    def _fetch(
        self, made: _Live, recipe: Recipe, slot: _Slot, base: BaseFile, names: list[str]
    ) -> dict[str, Tensor]:
        """Tensors of a streamed block on the device, patched: from the host's copy, else from the file."""
        if made.master is not None:
            tensors = {name: made.master[name].to(self.device, non_blocking=True) for name in names}
        else:
            sources = {name: base.names[slot.component][name] for name in names}
            tensors = self._read(base, sources, slot, self.device)
            self._count("file_blocks", 1)
        return {**tensors, **self._changed(recipe, slot, base, tensors)}

    def _read(self, base: BaseFile, sources: Sources, slot: _Slot, device: torch.device) -> dict[str, Tensor]:
        """Base tensors of a component from the file, as they lie in memory."""
        tensors = read_tensors(base.header, sources, device, slot.dtype)
        return self._accelerator.laid_out(tensors) if slot.component == "denoiser" else tensors

    def _weights(
        self, key: tuple[str, ...], base: BaseFile, slot: _Slot, patched: frozenset[str], beside: int
    ) -> AbstractContextManager[_Weights]:
        """The base tensors of a component, with room for the patched ones and `beside` bytes more."""
        names = base.names[slot.component]
        sizes = base.sizes(slot.component, slot.dtype.itemsize)
        blocks = list(blocks_of(names).values())

        def read(room: Room) -> tuple[_Weights, int]:
            streamed = tuple(name for index in room.placement.streamed for name in blocks[index])
            wanted = {name: source for name, source in names.items() if name not in set(streamed)}
            if room.kept is not None:
                tensors = {name: room.kept[name].to(self.device) for name in wanted}
            else:
                tensors = self._read(base, wanted, slot, self.device)
                self._count("file_reads", 1)
            return _Weights(tensors, streamed), max(room.placement.bytes, byte_size(tensors))

        overlay = [sum(sizes[name] for name in block if name in patched) for block in blocks]
        return self._resident.hold(
            key,
            read,
            what=f"{TITLES[slot.component]} weights, {str(slot.dtype).removeprefix('torch.')}",
            owner=base.title,
            expected_bytes=sum(sizes.values()),
            blocks=tuple(sum(sizes[name] for name in block) for block in blocks),
            reserve=sum(sizes[name] for name in patched) - sum(overlay) + beside,
            on_blocks=tuple(overlay),
            demote=None if self._shared_memory else _to_host,
        )

    @contextmanager
    def _master(
        self, key: tuple[str, ...], base: BaseFile, slot: _Slot, weights: _Weights
    ) -> Iterator[Mapping[str, Tensor] | None]:
        """The streamed tensors in main memory; None where there is no room, or no memory but the device's."""
        sizes = base.sizes(slot.component, slot.dtype.itemsize)

        def read(room: Room) -> tuple[dict[str, Tensor], int]:  # noqa: ARG001 - a build is told its room
            sources = {name: base.names[slot.component][name] for name in weights.streamed}
            tensors = self._read(base, sources, slot, torch.device("cpu"))
            self._count("file_reads", 1)
            if self.device.type == "cuda":  # without pinned pages a copy cannot run beside the computation
                tensors = {name: tensors.pop(name).pin_memory() for name in weights.streamed}
            return tensors, byte_size(tensors)

        with ExitStack() as stack:
            master = None
            if not self._shared_memory:
                held = self._resident.hold(
                    ("master", *key[1:], weights.streamed),
                    read,
                    what=f"{TITLES[slot.component]} weights to stream",
                    owner=base.title,
                    expected_bytes=sum(sizes[name] for name in weights.streamed),
                    tier="host",
                    wait=False,
                )
                with suppress(ModelMemoryError):  # then from the file: `file_blocks` counts it
                    master = stack.enter_context(held)
            yield master

    def _reach(self, family: str, patch: Patch, file: ModelFile) -> Collection[str] | None:
        """The components of a file that a patch is for; None where its kind does not tell beforehand."""
        kind = self._kinds.get(patch.kind)
        if kind is None or kind.scope is None:
            return None
        return kind.scope(patch, self._base(file).shapes, self._header_by_hash, family).changes.keys()

    def _scope(self, recipe: Recipe, base: BaseFile, target: Target) -> Scope:
        """The files that the recipe's patches read and the tensors that they change, as far as told."""
        files: list[str] = []
        changes: dict[str, frozenset[str]] = {}
        for patch in recipe.patches:
            kind = self._kinds.get(patch.kind)
            if kind is None or kind.scope is None or getattr(kind, target) is None:
                continue
            scope = kind.scope(patch, base.shapes, self._header_by_hash, recipe.family)
            files += scope.files
            for component, names in scope.changes.items():
                changes[component] = changes.get(component, frozenset()) | names
        return Scope(tuple(dict.fromkeys(files)), changes)

    def _files_to_come(self, scope: Scope) -> list[int]:
        """Bytes on the device of the patch files that have yet to be read."""
        if not self._shared_memory:
            return []
        headers = [
            self._header(ModelFile(each)) for each in scope.files if not self._resident.has(("file", each))
        ]
        return [_data_bytes(header) for header in headers]

    def _changed(
        self, recipe: Recipe, slot: _Slot, base: BaseFile, tensors: dict[str, Tensor]
    ) -> dict[str, Tensor]:
        """Those of the tensors that the recipe's patches change: new ones over the base."""

        def bench(weights: Mapping[str, Tensor], wanted: Callable[[str], bool]) -> Bench:
            return Bench(weights, base.shapes, self._patch_file, wanted, slot.component, recipe.family)

        changed = overlay(tensors, recipe.patches, slot.target, self._kinds, bench)
        self._count("patched_tensors", len(changed))
        return changed

    def _patch_file(self, content_hash: str) -> AbstractContextManager[FileTensors]:
        """A whole file, in main memory; kept for the next change of strength while there is room."""
        header = self._header(ModelFile(content_hash))

        def read(room: Room) -> tuple[FileTensors, int]:  # noqa: ARG001 - a build is told its room
            names = renamed({name: name for name in header.tensors})
            tensors = read_tensors(header, names, torch.device("cpu"))
            self._count("file_reads", 1)
            return FileTensors(header, tensors), byte_size(tensors)

        tier: Tier = "device" if self._shared_memory else "host"
        return self._resident.hold(
            ("file", content_hash), read, what="patch file", owner=header.path.name,
            expected_bytes=_data_bytes(header), tier=tier, wait=False,
        )  # fmt: skip

    def _header_by_hash(self, content_hash: str) -> Header:
        return self._header(ModelFile(content_hash))

    def _count(self, name: str, amount: int) -> None:
        with self._lock:
            self._counts[name] += amount


def _live_key(recipe: Recipe, component: str) -> Hashable:
    """The key of a live object. Patches that change no weight have no part in it."""
    whole = with_weight_patches(recipe, SAMPLING_KINDS) if isinstance(recipe, Model) else recipe
    return ("live", whole, component)


def _to_host(weights: _Weights) -> tuple[dict[str, Tensor], int] | None:
    """Tensors of the device as they wait in main memory; None for a part that is streamed anyway."""
    if weights.streamed:
        return None
    tensors = {name: tensor.cpu() for name, tensor in weights.tensors.items()}
    return tensors, byte_size(tensors)


def _data_bytes(header: Header) -> int:
    return sum(info.end - info.begin for info in header.tensors.values())
