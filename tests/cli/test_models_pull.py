"""`nodegraph models pull` from a real server on this machine: whole, interrupted, wrong, and refused."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from filelock import FileLock

from tests.cli.conftest import Cli

CONTENT = (
    Path(__file__).parents[2] / "nodes" / "nodegraph_nodes" / "models" / "loras" / "tiny-neon.safetensors"
).read_bytes()
DIGEST = hashlib.sha256(CONTENT).hexdigest()
PATH = "/files/neon.safetensors"
HUB_PATH = "/org/repo/resolve/main/sub/neon.safetensors"


@dataclass
class Server:
    """What the server has and does, and what it was asked for."""

    url: str = ""
    files: dict[str, bytes] = field(default_factory=lambda: {PATH: CONTENT, HUB_PATH: CONTENT})
    ranges: bool = True
    etag: str | None = '"one"'
    stop_after: int | None = None
    length: bool = True
    status: int | None = None
    linked: str | None = None
    asked: list[tuple[str, str | None]] = field(default_factory=list)
    sent: int = 0
    authorization: str | None = None


def _handler(server: Server) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

        def do_GET(self) -> None:
            wanted = self.headers.get("Range")
            server.asked.append((self.path, wanted))
            server.authorization = self.headers.get("Authorization")
            content = server.files.get(self.path)
            if server.status is not None or content is None:
                self.send_error(server.status or 404)
                return
            start = 0
            if wanted and server.ranges and self.headers.get("If-Range") == server.etag:
                start = int(wanted.removeprefix("bytes=").removesuffix("-"))
                if start >= len(content):
                    self.send_response(416)
                    self.send_header("Content-Range", f"bytes */{len(content)}")
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                    return
                self.send_response(206)
                self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
            else:
                self.send_response(200)
            if server.etag:
                self.send_header("ETag", server.etag)
            if server.linked:
                self.send_header("X-Linked-ETag", f'"{server.linked}"')
            if server.length:
                self.send_header("Content-Length", str(len(content) - start))
            self.end_headers()
            body = content[start:] if server.stop_after is None else content[start:][: server.stop_after]
            self.wfile.write(body)
            server.sent += len(body)
            self.close_connection = True

    return Handler


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "HF_TOKEN", "NODEGRAPH_OFFLINE", "HF_HUB_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    told = Server()
    http = ThreadingHTTPServer(("127.0.0.1", 0), _handler(told))
    told.url = f"http://127.0.0.1:{http.server_port}"
    thread = threading.Thread(target=http.serve_forever, args=[0.01])
    thread.start()
    yield told
    http.shutdown()
    thread.join()
    http.server_close()


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "data" / "models" / "loras"


def files(place: Path) -> list[str]:
    return sorted(path.name for path in place.iterdir()) if place.exists() else []


def pull(cli: Cli, server: Server, *more: str) -> tuple[int, str]:
    done = cli("models", "pull", server.url + PATH, "--kind", "loras", *more)
    return done.code, done.out + done.err


def test_a_pulled_file_is_whole_known_and_listed(cli: Cli, server: Server, place: Path) -> None:
    code, said = pull(cli, server, "--sha256", DIGEST.upper())
    assert code == 0, said
    assert str(place / "neon.safetensors") in said
    assert f"a LoRA, sha256 {DIGEST}" in said
    assert (place / "neon.safetensors").read_bytes() == CONTENT
    assert files(place) == ["neon.safetensors"]
    (entry,) = json.loads(cli("models", "list", "neon", "--kind", "loras", "--json").out)[:1]
    assert entry["sha256"] == DIGEST


def test_what_is_here_under_another_name_is_not_pulled_again(cli: Cli, server: Server, place: Path) -> None:
    assert pull(cli, server, "--name", "style/other.safetensors")[0] == 0
    code, said = pull(cli, server, "--sha256", DIGEST)
    assert (code, len(server.asked)) == (0, 1)
    assert "style/other.safetensors" in said


def test_an_interrupted_pull_goes_on_where_it_stopped(cli: Cli, server: Server, place: Path) -> None:
    server.stop_after = 200_000
    server.etag = '"first"'
    code, _ = pull(cli, server)
    # each attempt brought more, and so was followed by another
    assert code == 0
    assert [wanted for _, wanted in server.asked] == [None, "bytes=200000-", "bytes=400000-"]
    assert server.sent == len(CONTENT)
    assert (place / "neon.safetensors").read_bytes() == CONTENT


def test_another_process_goes_on_where_one_was_killed(cli: Cli, server: Server, place: Path) -> None:
    place.mkdir(parents=True)
    (place / "neon.safetensors.part").write_bytes(CONTENT[:1000])
    (place / "neon.safetensors.part.etag").write_text('"one"')
    assert pull(cli, server)[0] == 0
    assert server.asked == [(PATH, "bytes=1000-")]
    assert server.sent == len(CONTENT) - 1000
    assert (place / "neon.safetensors").read_bytes() == CONTENT


def test_a_part_that_was_whole_already_only_gets_its_name(cli: Cli, server: Server, place: Path) -> None:
    place.mkdir(parents=True)
    (place / "neon.safetensors.part").write_bytes(CONTENT)
    (place / "neon.safetensors.part.etag").write_text('"one"')
    assert pull(cli, server)[0] == 0
    assert server.sent == 0
    assert files(place) == ["neon.safetensors"]


@pytest.mark.parametrize("why", ["no ranges", "another version", "no validator"])
def test_it_begins_anew_where_it_cannot_go_on(cli: Cli, server: Server, place: Path, why: str) -> None:
    place.mkdir(parents=True)
    (place / "neon.safetensors.part").write_bytes(b"something else")
    if why != "no validator":
        (place / "neon.safetensors.part.etag").write_text('"one"' if why == "no ranges" else '"zero"')
    server.ranges = why != "no ranges"
    assert pull(cli, server)[0] == 0
    assert (place / "neon.safetensors").read_bytes() == CONTENT
    assert server.sent == len(CONTENT)


def test_a_pull_that_gets_nowhere_ends_and_keeps_what_came(cli: Cli, server: Server, place: Path) -> None:
    server.stop_after = 10
    code, said = pull(cli, server)
    assert code == 1
    assert "the same command goes on from there" in said
    assert len(server.asked) == 5
    assert files(place) == ["neon.safetensors.part", "neon.safetensors.part.etag"]
    server.stop_after = None
    assert pull(cli, server)[0] == 0
    assert server.asked[-1] == (PATH, "bytes=50-")
    assert files(place) == ["neon.safetensors"]


def test_a_server_that_tells_no_length_is_read_to_its_end(cli: Cli, server: Server, place: Path) -> None:
    server.length = False
    assert pull(cli, server)[0] == 0
    assert (place / "neon.safetensors").read_bytes() == CONTENT


@pytest.mark.parametrize("told_by", ["user", "hub"])
def test_the_wrong_content_is_deleted(cli: Cli, server: Server, place: Path, told_by: str) -> None:
    server.linked = "a" * 64 if told_by == "hub" else None
    code, said = pull(cli, server, *(["--sha256", "a" * 64] if told_by == "user" else []))
    assert code == 1
    assert f"expected sha256 {'a' * 64}, found {DIGEST}" in said
    assert files(place) == []


def test_a_page_instead_of_a_model_is_deleted(cli: Cli, server: Server, place: Path) -> None:
    server.files[PATH] = b"<!doctype html><title>Log in</title>" + bytes(100)
    code, said = pull(cli, server)
    assert code == 2
    assert "a web page" in said
    assert files(place) == []


@pytest.mark.parametrize(
    ("status", "told"),
    [(404, "there is no http"), (403, "hf auth login"), (401, "HF_TOKEN"), (503, "HTTP 503")],
)
def test_refusals_are_told(cli: Cli, server: Server, place: Path, status: int, told: str) -> None:
    server.status = status
    code, said = pull(cli, server)
    assert code == 1
    assert told in said
    assert files(place) == []


def test_nobody_there(cli: Cli, server: Server, place: Path) -> None:
    done = cli("models", "pull", "http://127.0.0.1:9/x.safetensors", "--kind", "loras")
    assert done.code == 1
    assert "could not be read" in done.err


def test_from_the_hub_by_repository_and_path(
    cli: Cli, server: Server, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Our server stands in for the hub: the same addresses, a token, the digest of large files."""
    monkeypatch.setenv("HF_ENDPOINT", server.url)
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    server.linked = DIGEST
    done = cli("models", "pull", "org/repo/sub/neon.safetensors", "--kind", "loras")
    assert done.code == 0, done.err
    assert server.asked == [(HUB_PATH, None)]
    assert server.authorization == "Bearer hf_secret"
    page = f"{server.url}/org/repo/blob/main/sub/neon.safetensors"
    again = cli("models", "pull", page, "--kind", "loras", "--name", "b.sft")
    assert again.code == 0, again.err
    assert server.asked[-1] == (HUB_PATH, None)


def test_the_token_goes_to_the_hub_alone(
    cli: Cli, server: Server, monkeypatch: pytest.MonkeyPatch, place: Path
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    assert pull(cli, server)[0] == 0
    assert server.authorization is None


@pytest.mark.parametrize("variable", ["NODEGRAPH_OFFLINE", "HF_HUB_OFFLINE"])
def test_offline_asks_nobody(
    cli: Cli, server: Server, place: Path, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, "1")
    code, said = pull(cli, server)
    assert code == 2
    assert variable in said
    assert server.asked == []


def test_pickles_only_with_consent(cli: Cli, server: Server, place: Path) -> None:
    server.files["/old.ckpt"] = b"PK\x03\x04" + bytes(50)
    refused = cli("models", "pull", f"{server.url}/old.ckpt", "--kind", "loras")
    assert refused.code == 2
    assert "can run code" in refused.err
    assert server.asked == []
    assert cli("models", "pull", f"{server.url}/old.ckpt", "--kind", "loras", "--allow-pickle").code == 0
    assert files(place) == ["old.ckpt"]


@pytest.mark.parametrize("name", ["../x.safetensors", "/x.safetensors", "a/../../x.safetensors", "x.txt"])
def test_a_file_goes_nowhere_but_into_its_folder(cli: Cli, server: Server, place: Path, name: str) -> None:
    code, _ = pull(cli, server, "--name", name)
    assert code == 2
    assert server.asked == []


def test_it_replaces_nothing(cli: Cli, server: Server, place: Path) -> None:
    place.mkdir(parents=True)
    (place / "neon.safetensors").write_bytes(b"mine")
    code, said = pull(cli, server)
    assert code == 2
    assert "is there already" in said
    assert (place / "neon.safetensors").read_bytes() == b"mine"


def test_two_processes_do_not_write_one_file(cli: Cli, server: Server, place: Path, tmp_path: Path) -> None:
    lock = tmp_path / "data" / "locks" / "loras-neon.safetensors.lock"
    lock.parent.mkdir(parents=True)
    with FileLock(lock):
        code, said = pull(cli, server)
    assert (code, server.asked) == (2, [])
    assert "another process is pulling" in said
    assert pull(cli, server)[0] == 0


@pytest.mark.parametrize("source", ["neon.safetensors", "org/repo", "ftp://x/y/z", "http://host/", "a//b/c"])
def test_what_names_no_file_is_said(cli: Cli, source: str) -> None:
    done = cli("models", "pull", source)
    assert done.code == 2
    assert "names no file to pull" in done.err


def test_a_document_remembers_where_a_model_was_pulled_from(cli: Cli, server: Server, place: Path) -> None:
    from nodegraph import Engine

    assert pull(cli, server)[0] == 0
    with Engine(place.parents[1]) as engine:
        document = engine.with_hashes(
            {
                "nodegraph": 1,
                "nodes": {
                    "base": {"type": "load.checkpoint", "inputs": {"file": "tiny.safetensors"}},
                    "lora": {
                        "type": "load.lora",
                        "inputs": {
                            "model": {"from": "base.model"},
                            "text_encoder": {"from": "base.text_encoder"},
                            "file": "neon.safetensors",
                        },
                    },
                },
                "outputs": {"model": {"from": "lora.model"}},
            }
        )
        saved = json.loads(document.to_text())
        assert saved["requires"]["models"]["loras"]["neon.safetensors"]["source"] == server.url + PATH
