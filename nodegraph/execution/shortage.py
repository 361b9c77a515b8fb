"""What happens to a node whose memory runs out: room is made and it runs once more, taking less.

The fallback, in this order: weights and results that nobody uses now are let go; the node runs again with
`ctx.tight`, by which `vae.decode` and `vae.encode` work in tiles and `sample` makes the pictures of a batch
one by one; if that is not enough, it fails and says how much was wanted and how much there was.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from nodegraph.errors import NodegraphError
from nodegraph.execution.cache import MemoryCache
from nodegraph.hookspecs import Resources
from nodegraph.runtime import Shortage

log = logging.getLogger(__name__)


class OutOfMemoryError(NodegraphError):
    """A node needs more memory than there is, after everything was done to make room."""

    code = "out_of_memory"


class Relief:
    """Makes room for one engine."""

    def __init__(self, resources: Callable[[], Resources], cache: MemoryCache) -> None:
        self._resources = resources
        self._cache = cache

    def after(self, error: BaseException, node: str) -> Shortage | None:
        """Make room where an error says that memory ran out; None where it says something else."""
        shortage = self._resources().relieve(error)
        if shortage is None:
            return None
        self._cache.clear()
        log.warning(
            "node %s ran out of %s (%s): %d bytes of weights were let go, and it runs again, taking less",
            node, shortage.where, _wanted(shortage), shortage.freed,
        )  # fmt: skip
        return shortage


def too_little(shortage: Shortage) -> OutOfMemoryError:
    """The error of a node that got all the room that there is."""
    return OutOfMemoryError(
        f"there is not enough {shortage.where} for this node", expected=_wanted(shortage),
        found=f"{_told(shortage.free)} free",
        remedy="Make smaller pictures or batches, use a smaller model or dtype, or end other programs.",
    )  # fmt: skip


def _wanted(shortage: Shortage) -> str:
    return f"{_told(shortage.wanted)} at once" if shortage.wanted is not None else "more than there is"


def _told(size: int) -> str:
    return f"{size / 2**30:.2f} GiB" if size >= 2**30 else f"{size / 2**20:.1f} MiB"
