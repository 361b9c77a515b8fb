"""Tensors under a prefix."""

from __future__ import annotations

from collections.abc import Iterable

from nodegraph.modelfiles.shapes import Shapes


def without_prefix(shapes: Shapes, prefix: str) -> dict[str, str]:
    """Name without the prefix -> name in the file, for every tensor that has it."""
    return {name[len(prefix) :]: name for name in shapes if name.startswith(prefix)}


def first_prefix(shapes: Shapes, prefixes: Iterable[str]) -> dict[str, str]:
    """As `without_prefix`, of the first prefix that any tensor has; empty if none has one."""
    for prefix in prefixes:
        found = without_prefix(shapes, prefix)
        if found:
            return found
    return {}
