"""Packs: found by entry point, loaded into a registry, and unable to break anything but themselves."""

from __future__ import annotations

import hashlib
import importlib.metadata
import logging
import traceback
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Literal

import pluggy

from nodegraph.errors import DeclarationError, cause_of
from nodegraph.hookspecs import GROUP, Hooks, Resources, ResourceSettings
from nodegraph.registry import Registry
from nodegraph.runtime import Files

log = logging.getLogger(__name__)

BUILTIN = "builtin"
"""The entry point of the pack that nodegraph ships. Its nodes raise their `version`; others may forget.

Its samplers and other choices have no version: who changes one raises the version of the nodes that use it.
"""


@dataclass(frozen=True, slots=True)
class Pack:
    """Where a pack comes from: entry point name, distribution and version."""

    name: str
    distribution: str
    version: str


@dataclass(frozen=True, slots=True)
class PackFailure:
    """A pack that could not be loaded, with the reason for people and the trace for its author."""

    pack: Pack
    reason: str
    trace: str


class Packs:
    """The packs of one engine: a registry, the hook caller, and what failed to load."""

    def __init__(self, registry: Registry, manager: pluggy.PluginManager) -> None:
        self.registry = registry
        self.loaded: list[Pack] = []
        self.failures: list[PackFailure] = []
        self.manager = manager

    def make_resources(self, settings: ResourceSettings, files: Files) -> Resources:
        """The resources of the first pack that offers them. DeclarationError if none does."""
        resources: Resources | None = self.manager.hook.make_resources(settings=settings, files=files)
        if resources is None:
            raise DeclarationError(
                "no pack provides devices and models", remedy="Install nodegraph with its built-in nodes."
            )
        return resources


def load_packs(
    blocked: Iterable[str] = (),
    extra: Sequence[tuple[str, object]] = (),
    *,
    installed: bool | Literal["built-in"] = True,
) -> Packs:
    """Load every installed pack (entry point group `nodegraph`) that is not blocked.

    `extra` are packs given as (name, module or object), for tests and embedding; with `installed=False` they
    are the only ones, with "built-in" the built-in pack comes besides. A pack that fails to import or to
    register is left out whole and listed in `failures`; all others load.
    """
    packs = Packs(Registry(), _new_manager())
    skipped = set(blocked)
    points = importlib.metadata.entry_points(group=GROUP) if installed else ()
    # The built-in pack comes first: where two packs claim a name, the guest is the one left out.
    for point in sorted(points, key=lambda point: (point.name != BUILTIN, point.name)):
        if point.name not in skipped and (installed is True or point.name == BUILTIN):
            dist = point.dist
            pack = Pack(point.name, dist.name if dist else "", dist.version if dist else "")
            _load_one(packs, pack, point.load)
    for name, plugin in extra:
        _load_one(packs, Pack(name, "", ""), partial(_same, plugin))
    return packs


def _same(plugin: object) -> object:
    return plugin


def _new_manager() -> pluggy.PluginManager:
    manager = pluggy.PluginManager(GROUP)
    manager.add_hookspecs(Hooks)
    return manager


def _load_one(packs: Packs, pack: Pack, load: Callable[[], object]) -> None:
    try:
        plugin = load()
        registry = packs.registry.copy()
        _register(plugin, pack, registry)
        packs.manager.register(plugin, name=pack.name)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - a pack may raise anything, and must break only itself
        reason = cause_of(error)
        packs.failures.append(PackFailure(pack, reason, traceback.format_exc()))
        log.warning("the pack '%s' is left out: %s", pack.name, reason)
    else:
        packs.registry = registry
        packs.loaded.append(pack)


def source_digest(plugin: object) -> str:
    """The digest of a pack's Python sources: its module, or its whole package. Empty for an object."""
    file = getattr(plugin, "__file__", None)
    if not isinstance(plugin, ModuleType) or file is None:
        return ""
    path = Path(file)
    sources = sorted(path.parent.rglob("*.py")) if path.name == "__init__.py" else [path]
    digest = hashlib.blake2b(digest_size=16)
    for source in sources:
        data = source.read_bytes()
        digest.update(f"{source.relative_to(path.parent).as_posix()}\0{len(data)}\0".encode())
        digest.update(data)
    return digest.hexdigest()


def _register(plugin: object, pack: Pack, registry: Registry) -> None:
    """Ask one pack for what it adds. A manager of its own, so that a failure says whose it is."""
    code = "" if pack.name == BUILTIN else source_digest(plugin)
    manager = _new_manager()
    manager.register(plugin, name=pack.name)
    manager.check_pending()
    hook = manager.hook
    for nodes in hook.register_nodes():
        registry.add_nodes(nodes, pack.name, code)
    for classes in hook.register_values():
        for cls in classes:
            registry.codecs.register(cls)
    for entries in hook.register_choices():
        registry.add_choices(entries, code)
    for families in hook.register_model_families():
        registry.add_families(families)
    for exporters in hook.register_exporters():
        registry.add_exporters(exporters)
    for folders in hook.register_folders():
        registry.add_folders(folders)
    for steps in hook.register_migrations():
        registry.add_migrations(steps)
    for templates in hook.register_templates():
        registry.add_templates(templates)
