"""Webhooks reach a real receiver, signed, once more after a failure, and after a crash of the server."""

from __future__ import annotations

import hashlib
import hmac
import http.server
import json
import queue
import signal
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest

from nodegraph.server.tokens import Tokens
from nodegraph.server.webhooks import refuse_literal
from tests.server.conftest import Server

SECRET = "x" * 20


@dataclass
class Receiver:
    """A small HTTP server that answers with these statuses in turn, and 200 after them."""

    statuses: list[int] = field(default_factory=list)
    got: queue.Queue[tuple[dict[str, str], bytes]] = field(default_factory=queue.Queue)
    port: int = 0


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    found = Receiver()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(found.statuses.pop(0) if found.statuses else 200)
            self.end_headers()
            found.got.put((dict(self.headers), body))

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found.port = server.server_address[1]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield found
    server.shutdown()
    server.server_close()


def hook(receiver: Receiver) -> dict[str, object]:
    return {"webhook": {"url": f"http://127.0.0.1:{receiver.port}/done", "secret": SECRET}}


def test_the_end_of_a_job_is_told_and_signed_and_told_again_after_a_failure(
    server: Server, receiver: Receiver
) -> None:
    receiver.statuses = [503]
    job = server.submit("naughty.fine", number=1, options=hook(receiver))
    receiver.got.get(timeout=30)
    headers, body = receiver.got.get(timeout=30)
    told = json.loads(body)
    assert (told["id"], told["state"]) == (job["id"], "done")
    seconds, sent = (part.partition("=")[2] for part in headers["Nodegraph-Signature"].split(","))
    expected = hmac.new(SECRET.encode(), f"{seconds}.".encode() + body, hashlib.sha256).hexdigest()
    assert hmac.compare_digest(sent, expected)


def test_what_was_not_delivered_is_delivered_after_a_crash(
    make_server: Callable[..., Server], receiver: Receiver
) -> None:
    server = make_server()
    receiver.statuses = [500]
    job = server.submit("naughty.fine", number=1, options=hook(receiver))
    receiver.got.get(timeout=30)
    server.end(signal.SIGKILL)
    server.start()
    _, body = receiver.got.get(timeout=30)
    assert json.loads(body)["id"] == job["id"]


def test_only_the_owner_reaches_this_machine(server: Server, receiver: Receiver) -> None:
    token = Tokens(server.data_dir).add("emil")
    workflow = {"nodegraph": 1, "nodes": {"n": {"type": "naughty.fine"}}, "outputs": {"o": {"from": "n"}}}
    asked = server.ask("POST", "/api/v1/jobs?wait=60", {"workflow": workflow, **hook(receiver)}, token=token)
    assert asked.data["state"] == "done"
    server.submit("naughty.fine", number=8, options=hook(receiver))
    _, body = receiver.got.get(timeout=30)
    assert json.loads(body)["user"] == "owner"
    Tokens(server.data_dir).remove("emil")


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1/", "http://[::1]/", "http://10.0.0.3/x", "http://169.254.1.1/"]
)
def test_addresses_that_are_not_public_are_known(url: str) -> None:
    with pytest.raises(OSError, match="no public address"):
        refuse_literal(url)
    refuse_literal("https://example.org/hook")
