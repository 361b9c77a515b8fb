"""What an engine knows: node types, choices, exporters, templates. An object, never a global."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from difflib import SequenceMatcher, get_close_matches
from functools import cache
from pathlib import Path
from typing import Any

from nodegraph.codecs import Codecs, builtin_codecs
from nodegraph.declare import NodeType, node_type
from nodegraph.errors import DeclarationError, InputError
from nodegraph.hookspecs import ChoiceEntry, Exporter, NodeMigration
from nodegraph.modelfiles.families import FAMILIES, Family


class Registry:
    """Node types by id, choices by registry and name, exporters by class, templates by name."""

    def __init__(self) -> None:
        self.codecs: Codecs = builtin_codecs()
        self.folders: dict[str, list[Path]] = {}
        self._nodes: dict[str, NodeType] = {}
        self._choices: dict[str, dict[str, ChoiceEntry]] = {}
        self._choice_code: dict[tuple[str, str], str] = {}
        self._exporters: list[Exporter] = []
        self._families: dict[str, Family] = {family.name: family for family in FAMILIES}
        self._templates: dict[str, Path] = {}
        self._migrations: dict[tuple[str, int], NodeMigration] = {}

    def copy(self) -> Registry:
        """A registry with the same contents that can grow on its own."""
        other = Registry()
        other.codecs = self.codecs.copy()
        other.folders = {kind: list(paths) for kind, paths in self.folders.items()}
        other._nodes = dict(self._nodes)
        other._choices = {name: dict(entries) for name, entries in self._choices.items()}
        other._choice_code = dict(self._choice_code)
        other._exporters = list(self._exporters)
        other._families = dict(self._families)
        other._templates = dict(self._templates)
        other._migrations = dict(self._migrations)
        return other

    def add_nodes(self, marked: Iterable[object], pack: str = "", code: str = "") -> None:
        """Add decorated functions. DeclarationError if an id is taken by another function.

        pack names where they come from; code is the digest of its sources, which counts in keys.
        """
        for item in marked:
            type_ = replace(node_type(item), pack=pack, code=code)
            taken = self._nodes.get(type_.id)
            if taken is not None and taken.function is not type_.function:
                raise DeclarationError(
                    f"the node id '{type_.id}' is declared by {taken.pack or 'one pack'} and by {pack}",
                    remedy="Node ids are unique: start yours with the name of your pack.",
                )
            self._nodes[type_.id] = type_

    def add_choices(self, entries: Iterable[ChoiceEntry], code: str = "") -> None:
        """Add names to open registries. DeclarationError if a name is taken.

        code is the digest of the pack's sources, which counts in the keys of nodes that name one of them.
        """
        for entry in entries:
            names = self._choices.setdefault(entry.registry, {})
            if entry.name in names:
                raise DeclarationError(f"'{entry.name}' is already in {entry.registry}")
            names[entry.name] = replace(entry, load=cache(entry.load))
            if code:
                self._choice_code[entry.registry, entry.name] = code

    def add_families(self, families: Iterable[Family]) -> None:
        """Add families of models, asked before those that are there. DeclarationError: a name is taken."""
        for family in families:
            if family.name in self._families:
                raise DeclarationError(f"there are two model families named '{family.name}'")
            self._families = {family.name: family, **self._families}

    @property
    def families(self) -> tuple[Family, ...]:
        """Every family of models, in the order in which they are asked what a file is."""
        return tuple(self._families.values())

    def add_exporters(self, exporters: Iterable[Exporter]) -> None:
        """Add writers of value classes."""
        self._exporters.extend(exporters)

    def add_templates(self, paths: Iterable[Path]) -> None:
        """Add packaged workflows by their file names without suffix. DeclarationError if a name is taken."""
        for path in paths:
            if self._templates.setdefault(path.stem, path) != path:
                raise DeclarationError(f"there are two templates named '{path.stem}'")

    def add_migrations(self, steps: Iterable[NodeMigration]) -> None:
        """Add steps between versions of node types. DeclarationError if two lead on from one version."""
        for step in steps:
            if self._migrations.setdefault((step.node, step.version), step) is not step:
                raise DeclarationError(
                    f"there are two migrations of '{step.node}' from version {step.version}"
                )
        self._check_ends()

    def _check_ends(self) -> None:
        for start in self._migrations.values():
            passed = {start.node}
            step: NodeMigration | None = start
            while step is not None:
                if step.becomes in passed:
                    raise DeclarationError(f"the migrations of '{start.node}' lead back to where they start")
                passed |= {step.becomes} if step.becomes else set()
                follows = (step.becomes, 1) if step.becomes else (step.node, step.version + 1)
                step = self._migrations.get(follows)

    def add_folders(self, folders: Mapping[str, Iterable[Path]]) -> None:
        """Add folders of files by kind."""
        for kind, paths in folders.items():
            self.folders.setdefault(kind, []).extend(paths)

    @property
    def nodes(self) -> Mapping[str, NodeType]:
        """Every node type by id."""
        return self._nodes

    @property
    def migrations(self) -> Mapping[tuple[str, int], NodeMigration]:
        """Every step between versions of node types, by node id and the version that it leads on from."""
        return self._migrations

    @property
    def templates(self) -> Mapping[str, Path]:
        """Every packaged workflow by name."""
        return self._templates

    @property
    def choice_code(self) -> Mapping[tuple[str, str], str]:
        """The digest of the pack behind every third-party choice, by registry and name."""
        return self._choice_code

    @property
    def choice_registries(self) -> tuple[str, ...]:
        """The names of all open registries that have entries."""
        return tuple(self._choices)

    def choices(self, registry: str) -> Mapping[str, ChoiceEntry]:
        """The entries of an open registry; empty if no pack adds to it."""
        return self._choices.get(registry, {})

    def choice(self, registry: str, name: str) -> Any:
        """The object behind a name. InputError with near names if there is none."""
        entry = self.choices(registry).get(name)
        if entry is None:
            raise InputError(
                f"there is no '{name}' in {registry}",
                code="not_in_menu",
                remedy=suggest(name, self.choices(registry)),
            )
        return entry.load()

    def suffixes(self, cls: type) -> list[str]:
        """The suffixes of files that values of a class can be written to, the preferred one first."""
        fitting = (exporter for exporter in self._exporters if issubclass(cls, exporter.cls))
        return list(dict.fromkeys(suffix for exporter in fitting for suffix in exporter.suffixes))

    def exporter(self, cls: type, path: Path) -> Exporter:
        """The writer for values of a class by a path's suffix. InputError names the suffixes that do."""
        fitting = [exporter for exporter in self._exporters if issubclass(cls, exporter.cls)]
        for exporter in fitting:
            if path.suffix.lower() in exporter.suffixes:
                return exporter
        suffixes = sorted(self.suffixes(cls))
        if not suffixes:
            raise InputError("this output cannot be written to a file", code="cannot_export")
        raise InputError(
            f"'{path.name}' has no suffix that {cls.__name__} values can be written as",
            code="cannot_export",
            expected=" or ".join(suffixes),
            found=path.suffix or "no suffix",
        )


def suggest(name: str, known: Iterable[str]) -> str:
    """A remedy for a misspelt name: the nearest known ones, or all when they are few."""
    names = sorted(known)
    near = get_close_matches(name, names, n=3, cutoff=0.55)
    likeness = {item: SequenceMatcher(None, item, name).ratio() for item in near}
    near = [item for item in near if likeness[item] > likeness[near[0]] - 0.2]  # far ones only distract
    if near:
        return "Did you mean " + " or ".join(f"'{item}'" for item in near) + "?"
    if names and len(names) <= 12:
        return "There is: " + ", ".join(names) + "."
    return ""
