"""An async client of the server, with typed results and events.

The names are loaded on first use, so that the command line can name the errors without loading aiohttp.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nodegraph.client.client import Client
    from nodegraph.client.errors import JobCancelledError, JobFailedError, ServerError, UnreachableError
    from nodegraph.client.patience import Patience

_HOME_OF = {
    "Client": "nodegraph.client.client", "Patience": "nodegraph.client.patience",
    "JobCancelledError": "nodegraph.client.errors", "JobFailedError": "nodegraph.client.errors",
    "ServerError": "nodegraph.client.errors", "UnreachableError": "nodegraph.client.errors",
}  # fmt: skip
__all__ = ["Client", "JobCancelledError", "JobFailedError", "Patience", "ServerError", "UnreachableError"]


def __getattr__(name: str) -> Any:
    if name in _HOME_OF:
        return getattr(import_module(_HOME_OF[name]), name)
    raise AttributeError(f"module 'nodegraph.client' has no attribute '{name}'")


def __dir__() -> list[str]:
    return __all__
