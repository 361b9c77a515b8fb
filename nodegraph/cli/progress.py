"""Progress of a run on the terminal: a bar for what runs now. Silent where nobody watches."""

from __future__ import annotations

from nodegraph.cli.bars import Bars
from nodegraph.execution import events
from nodegraph.graph.binding import BoundGraph


class Display(Bars):
    """Shows the events of a run in this process."""

    def __init__(self, graph: BoundGraph, *, quiet: bool = False) -> None:
        super().__init__(lambda node: _title(graph, node), quiet=quiet)

    def show(self, event: events.Event) -> None:
        """Take note of an event."""
        match event:
            case events.FileHashed(name, done, total):
                self.hashing(name, done, total)
            case events.NodeStarted(node):
                self.started(node)
            case events.NodeProgress(node, done, total):
                self.progress(node, done, total)
            case events.NodeFinished(node, outcome, seconds):
                self.finished(node, seconds if outcome == "ran" else None)
            case _:
                pass


def _title(graph: BoundGraph, node: str) -> str:
    bound = graph.nodes.get(node)
    if bound is None:
        return node  # a node inside a loop, by its path
    return bound.title if bound.title != node else f"{node} ({bound.type.title.lower()})"
