"""Nobody without a token is told anything, and hostile requests leave the server well."""

from __future__ import annotations

import stat
import subprocess
import sys
from pathlib import Path

import pytest

from nodegraph.server.app import make_app
from nodegraph.server.guard import is_open
from nodegraph.server.routes.all import ENDPOINTS
from nodegraph.server.settings import ServerSettings
from nodegraph.server.tokens import Tokens
from tests.server.conftest import Server


def paths(tmp_path: Path) -> list[tuple[str, str]]:
    """Every route of the server: method and path with something in its place."""
    found = []
    for route in make_app(ServerSettings(data_dir=tmp_path)).router.routes():
        info = route.resource.canonical if route.resource is not None else ""
        path = info.replace("{job}", "0" * 32).replace("{name}", "0" * 40 + ".png")
        found.append((route.method, path))
    return found


def test_no_route_answers_without_a_valid_token(server: Server, tmp_path: Path) -> None:
    for method, path in paths(tmp_path):
        for token in (None, "wrong", server.token[:-1]):
            answered = server.ask(method, path, token=token)
            if is_open(path):
                continue
            assert answered.status == 401, (method, path)
            assert method == "HEAD" or answered.data["code"] == "not_logged_in"


def test_a_foreign_name_or_site_is_refused_everywhere(server: Server, tmp_path: Path) -> None:
    foreign = [{"Host": "evil.example"}, {"Origin": "http://evil.example"}, {"Origin": "null"}]
    for method, path in paths(tmp_path):
        for headers in foreign:
            assert server.ask(method, path, headers=headers).status == 403, (method, path, headers)


def test_a_second_user_sees_nothing_of_the_first(server: Server) -> None:
    job = server.submit("naughty.fine", wait=60)
    token = Tokens(server.data_dir).add("anna")
    assert server.ask("GET", "/api/v1/jobs", token=token).data["jobs"] == []
    for method, path in (
        ("GET", ""),
        ("GET", "/events"),
        ("POST", "/cancel"),
        ("POST", "/retry"),
        ("PATCH", ""),
    ):
        body: object = {} if method == "PATCH" else None
        assert server.ask(method, f"/api/v1/jobs/{job['id']}{path}", body, token=token).status == 404
    assert server.ask("PATCH", "/api/v1/queue", {"paused": True}, token=token).status == 403
    assert server.ask("GET", "/api/v1/memory", token=token).status == 403
    Tokens(server.data_dir).remove("anna")
    assert server.ask("GET", "/api/v1/jobs", token=token).status == 401


def test_no_route_gives_a_second_user_what_is_the_owners(server: Server) -> None:
    """Every route with the owner's names in its path: whatever is sent, it is not there for anybody else."""
    nodes = {"n": {"type": "naughty.fine", "inputs": {"number": 4711}}}
    document = {"nodegraph": 1, "nodes": nodes, "outputs": {"o": {"from": "n"}}}
    job = server.ask("POST", "/api/v1/jobs?wait=60", {"workflow": document}).data["id"]
    axes = {
        "workflow": {**document, "inputs": {"i": {"to": ["n.number"]}}},
        "axes": [{"input": "i", "values": [1]}],
    }
    group = server.ask("POST", "/api/v1/groups", axes).data["id"]
    server.ask("PUT", "/api/v1/workflows/secret", {"document": document})
    thrown = server.ask("PUT", "/api/v1/workflows/thrown%20away", {"document": document}).data["id"]
    server.ask("DELETE", "/api/v1/workflows/thrown%20away")
    token = Tokens(server.data_dir).add("hanna")
    bodies: dict[str, object] = {
        "change_job": {"priority": 1}, "rename_workflow": {"name": "mine"}, "run_workflow": {},
        "save_workflow": {"document": document}, "change_queue": {"paused": True},
    }  # fmt: skip
    values = {"job": job, "group": group, "path": "x.png", "id": thrown}
    for endpoint in ENDPOINTS:
        operation = endpoint.handler.__name__
        if not endpoint.parameters or operation == "save_workflow":
            continue
        names = {**values, "name": "secret" if "/workflows/" in endpoint.path else "0" * 40 + ".png"}
        path = endpoint.plain_path.format(**names)
        answered = server.ask(endpoint.method, path, bodies.get(operation), token=token)
        assert answered.status == 404, (operation, answered.status, answered.body[:200])
    saved = server.ask("PUT", "/api/v1/workflows/secret", bodies["save_workflow"], token=token)
    assert (saved.status, saved.data["revision"]) == (201, 1)  # one of her own, of the same name
    for path in ("/jobs", "/workflows", "/files", "/queue", "/system", "/groups/" + group):
        text = server.ask("GET", f"/api/v1{path}", token=token).body.decode()
        assert job not in text
        assert "4711" not in text
    for method, path in (("GET", "/memory"), ("DELETE", "/memory"), ("GET", "/metrics")):
        assert server.ask(method, f"/api/v1{path}", token=token).status == 403
    Tokens(server.data_dir).remove("hanna")


def test_a_browser_gets_a_cookie_that_changes_nothing_without_an_origin(server: Server) -> None:
    request = server.ask("GET", f"/?token={server.token}", token=None)
    assert request.status == 200  # it followed the redirect, where the token is gone
    cookie = {"Cookie": f"nodegraph-{server.port}={server.token}"}
    assert server.ask("GET", "/api/v1/jobs", token=None, headers=cookie).status == 200
    wanted = {"paused": False}
    assert server.ask("PATCH", "/api/v1/queue", wanted, token=None, headers=cookie).status == 403
    own = {**cookie, "Origin": f"http://127.0.0.1:{server.port}"}
    assert server.ask("PATCH", "/api/v1/queue", wanted, token=None, headers=own).status == 200


def test_every_answer_is_made_safe(server: Server) -> None:
    for path in ("/", "/health", "/api/v1/jobs", "/nowhere"):
        headers = server.ask("GET", path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert "frame-ancestors 'none'" in headers["content-security-policy"]


def test_the_tokens_file_is_the_owners_alone_and_the_log_has_no_token(server: Server) -> None:
    mode = stat.S_IMODE((server.data_dir / "token").stat().st_mode)
    assert mode == 0o600
    assert server.token not in (server.data_dir.parent / "server.log").read_text()


BAD = {
    "no JSON": b"{",
    "a list": b"[]",
    "a key twice": b'{"workflow": {}, "workflow": {}}',
    "NaN": b'{"workflow": {"x": NaN}}',
    "too deep": b'{"workflow": ' + b'{"a":' * 500 + b"1" + b"}" * 501,
    "no UTF-8": b'{"workflow": "\xff"}',
    "half a character": b'{"workflow": {"name": "\\ud800"}}',
    "unknown fields": b'{"workflow": {}, "more": 1}',
    "no workflow": b"{}",
    "a path": b'{"workflow": "/etc/passwd"}',
    "a number": b'{"workflow": 3}',
    "a wrong priority": b'{"workflow": "template:text-to-image", "priority": 1e9}',
    "a long key": b'{"workflow": "template:text-to-image", "idempotency_key": "' + b"k" * 300 + b'"}',
    "an unknown template": b'{"workflow": "template:nothing"}',
    "an unknown input": b'{"workflow": "template:text-to-image", "inputs": {"colour": 1}}',
    "a strange version": b'{"workflow": {"nodegraph": 99, "nodes": {}}}',
    "nothing": b"",
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_body_is_a_problem_of_the_client(server: Server, name: str) -> None:
    answered = server.ask("POST", "/api/v1/jobs", raw=BAD[name])
    assert answered.status in (400, 413, 422), answered.body
    assert answered.data["status"] == answered.status
    assert server.ask("GET", "/health").status == 200


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/v1/jobs?before=x", 422), ("GET", "/api/v1/jobs?before=-1", 422),
        ("PUT", "/api/v1/jobs", 405),
        ("GET", "/api/v1/jobs/..%2f..%2fetc", 404), ("GET", "/api/v1/files/..%2f..%2ftoken", 404),
        ("GET", "/api/v1/files/" + "0" * 40 + ".png", 404), ("GET", "/api/v1/jobs/x?wait=1", 404),
        ("POST", "/api/v1/jobs?wait=-1", 422), ("POST", "/api/v1/jobs", 415),
        ("GET", "/api/v1/jobs?befor=1", 422), ("GET", "/api/v1/queue?x=1", 422), ("GET", "/api/v2/jobs", 404),
    ],
)  # fmt: skip
def test_a_bad_request_is_a_problem_of_the_client(
    server: Server, method: str, path: str, status: int
) -> None:
    answered = server.ask(method, path, headers={"Content-Type": "text/plain"})
    assert answered.status == status
    assert answered.data["status"] == status


def test_another_address_has_to_be_asked_for(tmp_path: Path) -> None:
    everywhere = "0.0.0.0"  # noqa: S104 - it is refused
    command = [sys.executable, "-m", "nodegraph", "serve", "--host", everywhere, "--data-dir", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert "--expose" in done.stderr
