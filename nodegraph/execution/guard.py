"""What is put around every node that runs in a lane: the guard of its device, and a look at the memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from nodegraph.declare import NodeType
from nodegraph.hookspecs import Resources, TellsPeak


class Guard:
    """The guard of one engine's resources, which are made when the first node needs them."""

    def __init__(self, resources: Callable[[], Resources]) -> None:
        self._resources = resources

    @contextmanager
    def around(self, type_: NodeType) -> Iterator[Callable[[], int]]:
        """Guard a node of that type. Gives what tells the most bytes that the device has held since.

        Only of nodes in the device's lane, which run one at a time: others would count each other's.
        """
        resources = self._resources()
        with resources.guard():
            if type_.lane == "device" and isinstance(resources, TellsPeak):
                resources.forget_peak()
                yield resources.peak
            else:
                yield _unknown


def _unknown() -> int:
    return 0
