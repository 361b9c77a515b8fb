"""Progress of a run on the terminal: a bar for what runs now. Silent where nobody watches."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from nodegraph.execution import events
from nodegraph.graph.binding import BoundGraph


class Display:
    """Shows events as progress bars on stderr; without a terminal, one line for each node that ran."""

    def __init__(self, graph: BoundGraph, *, quiet: bool = False) -> None:
        self._console = Console(stderr=True, quiet=quiet)
        self._graph = graph
        self._bars: dict[str, TaskID] = {}
        self._progress = Progress(
            TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(),
            console=self._console, transient=True, disable=quiet or not self._console.is_terminal,
        )  # fmt: skip

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def show(self, event: events.Event) -> None:
        """Take note of an event."""
        match event:
            case events.FileHashed(name, done, total):
                self._bar(f"hash of {name}", done, total)
            case events.NodeStarted(node):
                self._bars.setdefault(node, self._progress.add_task(self._title(node), total=None))
            case events.NodeProgress(node, done, total):
                self._progress.update(self._bars[node], completed=done, total=total)
            case events.NodeFinished(node, "ran", seconds):
                self._close(node)
                if not self._console.is_terminal:
                    self._console.print(f"{self._title(node)}: {seconds:.2f} s", highlight=False)
            case events.NodeFinished(node):
                self._close(node)
            case _:
                pass

    def _bar(self, name: str, done: int, total: int) -> None:
        if name not in self._bars:
            self._bars[name] = self._progress.add_task(name, total=total)
        self._progress.update(self._bars[name], completed=done, total=total)
        if done >= total:
            self._close(name)

    def _close(self, name: str) -> None:
        if name in self._bars:
            self._progress.remove_task(self._bars.pop(name))

    def _title(self, node: str) -> str:
        bound = self._graph.nodes.get(node)
        if bound is None:
            return node  # a node inside a loop, by its path
        return bound.title if bound.title != node else f"{node} ({bound.type.title.lower()})"
