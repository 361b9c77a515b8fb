"""Which server, and by which token: what is given, what the environment says, or the local one."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

from yarl import URL

from nodegraph.errors import InputError

PORT = 8188
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


class Address(NamedTuple):
    """A server's address without a slash at its end, and the token to send."""

    url: str
    token: str


def address_of(url: str, token: str | None) -> Address:
    """An address as it is written, also with the token inside as `nodegraph serve` prints it.

    InputError: it is no address, or there is no token.
    """
    try:
        parsed = URL(url)
    except ValueError:
        parsed = URL()
    if parsed.scheme not in ("http", "https") or not parsed.host:
        raise InputError(
            "this is no address of a server", code="bad_address", input="server",
            expected=f"http://127.0.0.1:{PORT} or the like", found=f"'{url}'",
        )  # fmt: skip
    token = token or parsed.query.get("token")
    if not token:
        raise InputError(
            f"there is no token for {parsed.origin()}", code="no_token", input="token",
            remedy="Give --token or NODEGRAPH_TOKEN; the token is in the URL that the server printed.",
        )  # fmt: skip
    if not token.isascii() or not token.isprintable() or " " in token:
        raise InputError("this is no token: it has other signs than tokens have", input="token")
    return Address(str(parsed.with_query(None).with_fragment(None)).rstrip("/"), token)


def found_address(url: str | None, token: str | None, data_dir: Path | str | None) -> Address:
    """What is not given comes from NODEGRAPH_SERVER, NODEGRAPH_TOKEN and NODEGRAPH_DATA.

    The token that lies in the data directory goes to a server on this machine alone. InputError: there is
    none, or it is no address.
    """
    url = url or os.environ.get("NODEGRAPH_SERVER") or f"http://127.0.0.1:{PORT}"
    token = token or os.environ.get("NODEGRAPH_TOKEN")
    if not token and "token=" not in url and _is_local(url):
        token = local_token(data_dir or os.environ.get("NODEGRAPH_DATA") or None)
    return address_of(url, token)


def local_token(data_dir: Path | str | None) -> str:
    """The owner's token of the server whose data directory this is (default: the system's place).

    InputError: there is none, or it may not be read.
    """
    if data_dir is None:
        from nodegraph.engine import default_data_dir

        data_dir = default_data_dir()
    file = Path(data_dir) / "token"
    try:
        return file.read_text("ascii").strip()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no token"
        raise InputError(
            f"the token of the local server, '{file}', cannot be read: {reason}", code="no_token",
            remedy="Start the server with `nodegraph serve`, or give --data-dir or --token.",
        ) from None  # fmt: skip


def _is_local(url: str) -> bool:
    try:
        return URL(url).host in _LOOPBACK
    except ValueError:
        return False
