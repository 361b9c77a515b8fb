"""The model store of an engine, made when a node first asks for it: that is what imports torch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from nodegraph.runtime import ModelStore


class LateModels:
    """A model store behind a function that makes it. Satisfies `nodegraph.runtime.ModelStore`."""

    def __init__(self, store: Callable[[], ModelStore]) -> None:
        self._store = store

    def use(self, recipe: Any) -> Any:
        return self._store().use(recipe)

    def inspect(self, file: Any) -> Any:
        return self._store().inspect(file)

    def previewer(self, model: Any) -> Any:
        return self._store().previewer(model)

    def counters(self) -> Mapping[str, int]:
        return self._store().counters()
