"""The plugin contract: one signature and one sentence per hook.

A pack is a Python distribution with an entry point in the group `nodegraph` that names a module; the
module's `@hookimpl` functions are called by an engine that loads the pack. The built-in pack uses the
same door.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import pluggy

from nodegraph.codecs import TensorStore
from nodegraph.modelfiles.families import FAMILIES, Family
from nodegraph.runtime import Files, ModelStore, RunRecord, Shortage

GROUP = "nodegraph"
hookspec = pluggy.HookspecMarker(GROUP)
hookimpl = pluggy.HookimplMarker(GROUP)


@dataclass(frozen=True, slots=True)
class ChoiceEntry:
    """One name in an open registry. `load` gives the object when a node first needs it."""

    registry: str
    name: str
    help: str
    load: Callable[[], object]


@dataclass(frozen=True, slots=True)
class Exporter:
    """Writes values of a class to a file by its suffix, with the run record inside.

    `write(value, path, record)` writes one file whole (the engine renames it into place); `split(value)`
    takes a batch apart, each part being written to a file of its own.
    """

    cls: type
    suffixes: tuple[str, ...]
    write: Callable[[Any, Path, RunRecord], None]
    split: Callable[[Any], Sequence[Any]] = lambda value: [value]


@dataclass(frozen=True, slots=True)
class NodeMigration:
    """A step of a node type from one version to the next: how a node that was saved then is written now.

    `renamed` maps input names, old to new, and `outputs` output names: links and named inputs follow.
    `inputs` gets the inputs as the document holds them (links too), under their new names, and returns what
    they are now. `becomes` is the id of the type that takes over, at its version 1.
    """

    node: str
    version: int
    inputs: Callable[[dict[str, Any]], Mapping[str, Any]] = lambda inputs: inputs
    renamed: Mapping[str, str] = field(default_factory=dict)
    outputs: Mapping[str, str] = field(default_factory=dict)
    becomes: str | None = None


class Resources(Protocol):
    """What an engine's nodes run on: live models, the device, and the guard around every node."""

    @property
    def models(self) -> ModelStore:
        """The store that turns recipes into weights."""
        ...

    @property
    def tensors(self) -> TensorStore:
        """What writes tensors to files, reads them back and digests them."""
        ...

    def profile(self) -> str:
        """Device class, dtype policy, attention backend and torch version: part of weight nodes' keys."""
        ...

    def guard(self) -> AbstractContextManager[object]:
        """Entered around every node on the thread that runs it (no gradients are recorded)."""
        ...

    def explain(self) -> Sequence[Mapping[str, Any]]:
        """Every resident model with bytes, owner and reason."""
        ...

    def is_well(self) -> bool:
        """Whether the device still computes: some errors leave a process without it until it ends."""
        ...

    def relieve(self, error: BaseException) -> Shortage | None:
        """Let go of everything that nobody uses, where an error says that memory ran out; None elsewhere."""
        ...


@runtime_checkable
class TellsPeak(Protocol):
    """Resources whose device counts the most bytes that were held at once."""

    def forget_peak(self) -> None:
        """Begin to count anew, with what is held now."""
        ...

    def peak(self) -> int:
        """The most bytes held at once since; 0 where the device does not count."""
        ...


@dataclass(frozen=True, slots=True)
class ResourceSettings:
    """What the user asked for: device ("auto", "cpu", "cuda:0"), dtype ("auto", …), bytes for models.

    data_dir is where the user's own models lie, in `models/`; families are those that a model file may be
    of, in the order in which they are asked.
    """

    device: str = "auto"
    dtype: str = "auto"
    model_budget: int | None = None
    data_dir: Path | None = None
    families: tuple[Family, ...] = FAMILIES
    accelerate: str = "off"
    """How denoisers run: "off", or names of `ACCELERATIONS` with commas between them."""


class Hooks:
    """The hooks that a pack may implement; every one is optional."""

    @hookspec
    def register_nodes(self) -> Sequence[object]:  # type: ignore[empty-body]
        """Return the functions decorated with `@node`."""

    @hookspec
    def register_values(self) -> Sequence[type]:  # type: ignore[empty-body]
        """Return frozen dataclasses that may travel on edges."""

    @hookspec
    def register_choices(self) -> Sequence[ChoiceEntry]:  # type: ignore[empty-body]
        """Return entries for open registries such as `samplers` and `schedulers`."""

    @hookspec
    def register_model_families(self) -> Sequence[Family]:  # type: ignore[empty-body]
        """Return families of models; they are asked before the built-in ones what a file is."""

    @hookspec
    def register_exporters(self) -> Sequence[Exporter]:  # type: ignore[empty-body]
        """Return writers of value classes to files."""

    @hookspec
    def register_folders(self) -> Mapping[str, Sequence[Path]]:  # type: ignore[empty-body]
        """Return read-only folders with files that the pack ships, by kind (`checkpoints`, `loras`, …)."""

    @hookspec
    def register_templates(self) -> Sequence[Path]:  # type: ignore[empty-body]
        """Return the workflow documents (*.json) that the pack ships as templates."""

    @hookspec
    def register_migrations(self) -> Sequence[NodeMigration]:  # type: ignore[empty-body]
        """Return the steps that bring nodes in old workflows to the versions that the pack has now."""

    @hookspec(firstresult=True)
    def make_resources(self, settings: ResourceSettings, files: Files) -> Resources | None:
        """Return the resources that nodes run on, or None to leave it to another pack."""

    @hookspec(firstresult=True)
    def make_contact_sheet(
        self, values: Sequence[object], labels: Sequence[str], columns: int
    ) -> object | None:
        """Return one value that shows all of these, each with its label, or None for values of no use."""
