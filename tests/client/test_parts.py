"""Addresses, and bytes of a stream that are cut anywhere."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nodegraph.client import Client
from nodegraph.client.address import Address, address_of, found_address
from nodegraph.client.events import Frame, frames
from nodegraph.errors import InputError
from tests.client.conftest import Talk, one

STREAM = "id: 3\r\nevent: state\r\ndata: {}\r\n\r\n: still here\n\ndata: é\ndata:2\nid: x\n\nid: 9\ndata: cut"
FRAMES = [Frame("{}", 3), Frame(""), Frame("é\n2")]


def read(pieces: list[bytes]) -> list[Frame]:
    async def chunks() -> AsyncIterator[bytes]:
        for piece in pieces:
            yield piece

    async def work() -> list[Frame]:
        return [frame async for frame in frames(chunks())]

    return asyncio.run(work())


@given(st.lists(st.integers(0, len(STREAM.encode()))))
def test_a_stream_means_the_same_however_it_is_cut(cuts: list[int]) -> None:
    whole = STREAM.encode()
    places = [0, *sorted(cuts), len(whole)]
    assert read([whole[a:b] for a, b in pairwise(places)]) == FRAMES


@pytest.mark.full  # the server's sign of life comes after 15 seconds
def test_a_job_that_is_over_ends_its_events_though_nothing_is_told(talk: Talk) -> None:
    async def work(client: Client) -> int:
        job = await client.run(one("naughty.fine"))
        return len([event async for event in client.events(job.id, after=99)])

    assert talk(work) == 0


def test_an_address_may_hold_its_token() -> None:
    assert address_of("http://127.0.0.1:8188/?token=abc", None) == Address("http://127.0.0.1:8188", "abc")
    assert address_of("https://example.org/nodes/", "t") == Address("https://example.org/nodes", "t")
    assert address_of("http://[::1]:1/?token=abc", "other") == Address("http://[::1]:1", "other")


@pytest.mark.parametrize(
    ("url", "token", "code"),
    [
        ("example.org", "t", "bad_address"), ("ftp://example.org", "t", "bad_address"),
        ("http://", "t", "bad_address"), ("http://h:port", "t", "bad_address"),
        ("http://example.org", "", "no_token"), ("http://example.org", "a\nb", "bad_input"),
    ],
)  # fmt: skip
def test_what_is_no_address_is_said(url: str, token: str, code: str) -> None:
    with pytest.raises(InputError) as raised:
        address_of(url, token)
    assert raised.value.problem.code == code


def test_what_is_not_given_comes_from_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("NODEGRAPH_SERVER", "NODEGRAPH_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NODEGRAPH_DATA", str(tmp_path))
    with pytest.raises(InputError, match="nodegraph serve"):
        found_address(None, None, None)
    (tmp_path / "token").write_text("kept\n")
    assert found_address(None, None, None) == Address("http://127.0.0.1:8188", "kept")
    with pytest.raises(InputError, match="there is no token for"):  # the local one is not for others
        found_address("http://example.org", None, tmp_path)
    monkeypatch.setenv("NODEGRAPH_SERVER", "http://example.org")
    monkeypatch.setenv("NODEGRAPH_TOKEN", "theirs")
    assert found_address(None, None, None) == Address("http://example.org", "theirs")
    assert found_address("http://localhost:1", "mine", None) == Address("http://localhost:1", "mine")


def test_a_client_that_is_not_open_says_so() -> None:
    with pytest.raises(InputError, match="async with"):
        asyncio.run(Client("http://127.0.0.1:1", "t").system())
