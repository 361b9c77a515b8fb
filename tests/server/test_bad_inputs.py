"""Hostile requests of every kind: each is answered with a problem of the client, and the server goes on."""

from __future__ import annotations

import gzip
import json
import socket
from collections.abc import Iterator
from typing import Any

import psutil
import pytest

from tests.server.conftest import Server

Case = tuple[str, str, bytes, dict[str, str]]
"""Method, path, body, and headers besides."""

SOUND: dict[str, Any] = {"nodegraph": 1, "nodes": {"n": {"type": "value.integer", "inputs": {"value": 1}}}}


def one(type_: str, **inputs: Any) -> dict[str, Any]:
    """A document of one node."""
    return {"nodegraph": 1, "nodes": {"n": {"type": type_, "inputs": inputs}}}


JSON_ROUTES = {
    "/api/v1/jobs": {"workflow": SOUND},
    "/api/v1/check": {"workflow": SOUND},
    "/api/v1/groups": {"workflow": SOUND, "axes": [{"input": "x", "values": [1]}]},
    "/api/v1/workflows/restore": {"id": 1},
}
TEXTS = {
    "nothing": b"", "no JSON": b"{", "a list": b"[]", "a number": b"3", "null": b"null", "a text": b'"x"',
    "a key twice": b'{"workflow": {}, "workflow": {}}', "NaN": b'{"workflow": NaN}',
    "infinity": b'{"workflow": Infinity}', "too deep": b"[" * 5000 + b"]" * 5000,
    "deep objects": b'{"a":' * 500 + b"1" + b"}" * 500, "no UTF-8": b'{"workflow": "\xff\xfe"}',
    "UTF-16": '{"workflow": {}}'.encode("utf-16"), "half a character": b'{"workflow": {"name": "\\ud800"}}',
    "two values": b"{} {}", "a comment": b"{/* */}", "single quotes": b"{'workflow': {}}",
    "a trailing comma": b'{"workflow": {},}', "a huge number": b'{"workflow": ' + b"9" * 5000 + b"}",
    "unknown field": b'{"workflow": {}, "evil": 1}', "a pickle": b"\x80\x04K\x01.",
    "zip": b"PK\x03\x04" + bytes(60),
}  # fmt: skip
DOCUMENTS: dict[str, Any] = {
    "no version": {"nodes": {}}, "version 0": {"nodegraph": 0, "nodes": {}},
    "version 99": {"nodegraph": 99, "nodes": {}}, "version true": {"nodegraph": True, "nodes": {}},
    "nodes as a list": {"nodegraph": 1, "nodes": []}, "nodes as text": {"nodegraph": 1, "nodes": "x"},
    "a node as text": {"nodegraph": 1, "nodes": {"n": "x"}}, "no type": {"nodegraph": 1, "nodes": {"n": {}}},
    "a bad id": {"nodegraph": 1, "nodes": {"../x": {"type": "value.integer"}}},
    "an empty id": {"nodegraph": 1, "nodes": {"": {"type": "value.integer"}}},
    "a link to nothing": one("value.integer", value={"from": "m"}),
    "a link to itself": one("value.integer", value={"from": "n"}),
    "a wrong value": one("value.integer", value="x"), "a fraction": one("value.integer", value=1.5),
    "an unknown input": one("value.integer", valeu=1),
    "nothing to run": {"nodegraph": 1, "nodes": {}},
    "a dangling subgraph": {"nodegraph": 1, "nodes": {"n": {"type": "#none"}}},
    "a recursive subgraph": {
        "nodegraph": 1, "nodes": {"n": {"type": "#a"}},
        "subgraphs": {"a": {"nodes": {"m": {"type": "#a"}}}},
    },
    "an output of nothing": {**SOUND, "outputs": {"o": {"from": "nobody"}}},
    "an output that is none": {**SOUND, "outputs": {"o": {"from": "n.nothing"}}},
    "an input to nothing": {**SOUND, "inputs": {"i": {"to": ["nobody.value"]}}},
    "a bad mode": {"nodegraph": 1, "nodes": {"n": {"type": "value.integer", "mode": "explode"}}},
    "a file outside": one("image.load", file="/etc/passwd"),
    "a file above": one("image.load", file="../../token"),
    "a file with a zero": one("image.load", file="a\0b"),
    "a long file name": one("image.load", file="a" * 9999),
    "a latent as picture": {
        "nodegraph": 1,
        "nodes": {"l": {"type": "latent.empty"}, **one("image.save", image={"from": "l"})["nodes"]},
    },
    "a path as text": "/etc/passwd", "a template outside": "template:../../etc/passwd",
    "no such template": "template:nothing", "an empty template": "template:",
}  # fmt: skip
FIELDS: dict[str, Any] = {
    "priority a text": {"priority": "high"}, "priority a fraction": {"priority": 1.5},
    "priority too high": {"priority": 101}, "priority too low": {"priority": -101},
    "priority true": {"priority": True}, "hold a text": {"hold": "maybe"}, "title a list": {"title": []},
    "a long title": {"title": "x" * 201}, "targets a text": {"targets": "n"},
    "an unknown target": {"targets": ["nobody"]}, "an empty key": {"idempotency_key": ""},
    "a long key": {"idempotency_key": "k" * 201}, "inputs a list": {"inputs": [1]},
    "an unknown input": {"inputs": {"x": 1}}, "a webhook without a secret": {"webhook": {"url": "http://x.org"}},
    "a short secret": {"webhook": {"url": "http://x.org", "secret": "short"}},
    "a file as webhook": {"webhook": {"url": "file:///etc/passwd", "secret": "s" * 16}},
    "a script as webhook": {"webhook": {"url": "javascript:alert(1)", "secret": "s" * 16}},
    "no URL": {"webhook": {"url": "nowhere", "secret": "s" * 16}}, "previews null": {"previews": None},
}  # fmt: skip
QUERIES = [
    "/api/v1/jobs?before=x", "/api/v1/jobs?before=-1", "/api/v1/jobs?before=1e9", "/api/v1/jobs?before=",
    "/api/v1/jobs?before=99999999999999999999", "/api/v1/jobs?limit=0", "/api/v1/jobs?limit=1001",
    "/api/v1/jobs?limit=x", "/api/v1/jobs?state=lost", "/api/v1/jobs?unknown=1",
    "/api/v1/jobs?limit=1&limit=2", "/api/v1/jobs/x", "/api/v1/jobs/x?wait=1", "/api/v1/jobs/x?wait=-1",
    "/api/v1/jobs/x?wait=inf", "/api/v1/jobs/x?wait=nan", "/api/v1/jobs/x/events",
    "/api/v1/jobs/x/events?after=-1",
    "/api/v1/jobs/x/workflow", "/api/v1/jobs/x/artifacts/y", "/api/v1/jobs/..%2f..", "/api/v1/jobs/%00",
    "/api/v1/jobs/%ff%fe", "/api/v1/jobs/'%20OR%201=1%20--", "/api/v1/groups/x", "/api/v1/files/x",
    "/api/v1/files/..%2f..%2ftoken", "/api/v1/files/" + "0" * 40 + ".png",
    "/api/v1/files/" + "0" * 40 + ".exe",
    "/api/v1/files/" + "g" * 40 + ".png", "/api/v1/files/x/workflow", "/api/v1/workflows/x",
    "/api/v1/workflows/x?revision=0", "/api/v1/workflows/x?revision=y", "/api/v1/workflows/x/revisions",
    "/api/v1/workflows/x/interface", "/api/v1/workflows/template:x/interface",
    "/api/v1/workflows?trashed=maybe",
    "/api/v1/nothing", "/api/v2/jobs", "/api/v1/jobs//", "/static/../../etc/passwd", "/%2e%2e/etc/passwd",
    "/api/v1/system?x=1", "/api/v1/memory?x=1", "/api/v1/nodes?x=1", "/api/v1/queue?x=1", "/" + "a" * 7000,
]  # fmt: skip
WRONG_METHODS = [
    ("PUT", "/api/v1/jobs"), ("DELETE", "/api/v1/jobs"), ("POST", "/api/v1/nodes"), ("POST", "/health"),
    ("PATCH", "/api/v1/system"), ("TRACE", "/api/v1/jobs"), ("FOO", "/api/v1/jobs"), ("PUT", "/api/v1/queue"),
    ("DELETE", "/api/v1/queue"), ("POST", "/api/v1/openapi.json"),
]  # fmt: skip
NAMES = ["a%2Fb", "%00", "%0a", "x" * 101, "a%5Cb", "%7f", "..%2F.."]


def cases() -> Iterator[tuple[str, Case]]:
    json_type = {"Content-Type": "application/json"}
    for route, sound in JSON_ROUTES.items():
        for name, text in TEXTS.items():
            yield f"{route} {name}", ("POST", route, text, json_type)
        plain = {"Content-Type": "text/plain"}
        yield f"{route} as text", ("POST", route, json.dumps(sound).encode(), plain)
        yield (
            f"{route} as a form",
            ("POST", route, b"a=1", {"Content-Type": "application/x-www-form-urlencoded"}),
        )
    for name, document in DOCUMENTS.items():
        yield (
            f"job of {name}",
            ("POST", "/api/v1/jobs", json.dumps({"workflow": document}).encode(), json_type),
        )
    for name, fields in FIELDS.items():
        body = json.dumps({"workflow": SOUND | {"outputs": {"o": {"from": "n"}}}, **fields}).encode()
        yield f"job with {name}", ("POST", "/api/v1/jobs", body, json_type)
    for path in QUERIES:
        yield f"GET {path[:80]}", ("GET", path, b"", {})
    for method, path in WRONG_METHODS:
        yield f"{method} {path}", (method, path, b"", {})
    for name in NAMES:
        body = json.dumps({"document": SOUND}).encode()
        yield f"a workflow called {name[:20]}", ("PUT", f"/api/v1/workflows/{name}", body, json_type)
    yield "a save over nothing", (
        "PUT", "/api/v1/workflows/new", json.dumps({"document": SOUND}).encode(),
        json_type | {"If-Match": '"1-1-x"'},
    )  # fmt: skip
    for kind in (
        "multipart/form-data",
        "multipart/form-data; boundary=x",
        "multipart/mixed; boundary=x",
        "image/gif",
    ):
        yield f"an upload as {kind}", ("POST", "/api/v1/files", b"--x\r\nnonsense", {"Content-Type": kind})


CASES = dict(cases())


def test_there_are_at_least_two_hundred() -> None:
    assert len(CASES) >= 200


@pytest.mark.parametrize("name", CASES)
def test_a_hostile_request_is_a_problem_of_the_client(server: Server, name: str) -> None:
    method, path, body, headers = CASES[name]
    answered = server.ask(method, path, raw=body or None, headers=headers)
    assert 400 <= answered.status < 500, (answered.status, answered.body[:300])
    if method not in ("HEAD", "TRACE", "FOO"):
        assert answered.headers["content-type"].startswith("application/problem+json")
        assert answered.data["status"] == answered.status
        assert answered.data["detail"]


RAW = {
    "no HTTP": b"hello\r\n\r\n",
    "a binary": bytes(range(256)),
    "a long line": b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\n\r\n",
    "a long header": b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: " + b"a" * 100_000 + b"\r\n\r\n",
    "many headers": b"GET / HTTP/1.1\r\n" + b"".join(b"X%d: 1\r\n" % n for n in range(5_000)) + b"\r\n",
    "a negative length": b"POST /api/v1/jobs HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: -5\r\n\r\n",
    "two lengths": b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef",
    "length and chunks": b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a bad chunk": b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n\r\n",
    "no host": b"GET /api/v1/jobs HTTP/1.1\r\n\r\n",
    "a header in a header": b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer a\nX: y\r\n\r\n",
    "a zero in a header": b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer a\0b\r\n\r\n",
    "a cookie of nonsense": b"GET /api/v1/jobs HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: ;;==\xff;\r\n\r\n",
}  # fmt: skip


@pytest.mark.parametrize("name", RAW)
def test_broken_http_leaves_the_server_well(server: Server, name: str) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall(RAW[name])
        connection.shutdown(socket.SHUT_WR)
        answered = b""
        try:
            while part := connection.recv(65536):
                answered += part
        except ConnectionResetError:
            pass
    assert not answered or answered.split(b" ", 2)[1][:1] == b"4", answered[:200]
    assert server.ask("GET", "/health").status == 200


def test_a_body_that_is_too_large_is_refused(server: Server) -> None:
    length = {"Content-Length": str(2**40), "Content-Type": "application/json"}
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection:
        head = [f"{name}: {value}" for name, value in length.items()]
        auth = [f"Authorization: Bearer {server.token}", f"Host: 127.0.0.1:{server.port}"]
        connection.sendall("\r\n".join(["POST /api/v1/jobs HTTP/1.1", *head, *auth, "", ""]).encode())
        sent = 0
        try:
            while sent < 80 * 2**20:
                sent += connection.send(b" " * 2**20)
        except (BrokenPipeError, ConnectionResetError):
            pass
        connection.settimeout(10)
        try:
            answered = connection.recv(100)
        except (ConnectionResetError, TimeoutError):
            answered = b""
    assert not answered or b" 413 " in answered
    assert server.ask("GET", "/health").status == 200


@pytest.mark.parametrize("path", ["/api/v1/jobs", "/api/v1/files"])
def test_a_body_that_unpacks_to_a_gigabyte_is_refused(server: Server, path: str) -> None:
    bomb = gzip.compress(bytes(2**30), 1)
    kind = "application/json" if path.endswith("jobs") else "image/png"
    headers = {"Content-Type": kind, "Content-Encoding": "gzip"}
    assert server.process is not None
    before = psutil.Process(server.process.pid).memory_info().rss
    answered = server.ask("POST", path, raw=bomb, headers=headers)
    assert answered.status in (400, 413), answered.body[:200]
    assert psutil.Process(server.process.pid).memory_info().rss - before < 2**29
