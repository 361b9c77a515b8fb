"""What `models pull` is given: a file on the Hugging Face hub, or a URL."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit

from nodegraph.errors import InputError

_HUB = "https://huggingface.co"


@dataclass(frozen=True, slots=True)
class Reference:
    """Where a file is pulled from: its URL, its own name, and the headers to ask with (never shown)."""

    url: str
    name: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


def resolve(text: str, revision: str | None = None) -> Reference:
    """The reference that a text means: `org/repo/path/file`, a page of the hub, or any http(s) URL.

    `HF_ENDPOINT` names another hub; the token of `hf auth login` or `HF_TOKEN` goes to the hub alone.
    InputError if it means nothing.
    """
    endpoint = os.environ.get("HF_ENDPOINT", _HUB).rstrip("/")
    parts = urlsplit(text)
    hub = text.startswith(f"{endpoint}/")
    if parts.scheme in ("http", "https") and parts.netloc and not hub:
        name = PurePosixPath(unquote(parts.path)).name
        if not name:
            raise _meaningless(text)
        return Reference(text, name)
    words = (text.removeprefix(f"{endpoint}/") if hub else text).split("?")[0].split("/")
    if len(words) > 4 and words[2] in ("blob", "resolve"):
        revision = revision or unquote(words[3])
        words = [*words[:2], *words[4:]]
    if len(words) < 3 or parts.scheme not in ("", "http", "https") or not all(words) or ".." in words:
        raise _meaningless(text)
    import huggingface_hub as hub_library  # takes a third of a second

    url = hub_library.hf_hub_url(
        "/".join(words[:2]), "/".join(words[2:]), revision=revision, endpoint=endpoint
    )
    token = hub_library.get_token()
    return Reference(url, words[-1], {"Authorization": f"Bearer {token}"} if token else {})


def offline() -> str | None:
    """The variable that switches the network off, if one does."""
    switches = (name for name in ("NODEGRAPH_OFFLINE", "HF_HUB_OFFLINE") if _is_set(os.environ.get(name)))
    return next(switches, None)


def _is_set(value: str | None) -> bool:
    return (value or "").strip().lower() not in ("", "0", "false", "no", "off")


def _meaningless(text: str) -> InputError:
    return InputError(
        f"'{text}' names no file to pull", code="bad_reference",
        expected="org/repo/path/file.safetensors on the hub, or an http(s) URL of a file",
    )  # fmt: skip
