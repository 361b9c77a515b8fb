"""Uploads and downloads: pictures only, by content, for their owner, in ranges."""

from __future__ import annotations

import io
import json
import struct
import zlib
from typing import Any

import PIL.Image
import pytest

from nodegraph.server.tokens import Tokens
from tests.server.conftest import Server


def picture(kind: str = "PNG", size: tuple[int, int] = (8, 8), colour: str = "red") -> bytes:
    buffer = io.BytesIO()
    PIL.Image.new("RGB", size, colour).save(buffer, kind)
    return buffer.getvalue()


def bomb() -> bytes:
    """A small PNG that says it is 60,000 pixels wide and high."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 0, 0, 0, 0)
    rows = zlib.compress(bytes(100_000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def upload(server: Server, data: bytes, media_type: str = "image/png", token: str = "") -> Any:
    headers = {"Content-Type": media_type}
    return server.ask("POST", "/api/v1/files", raw=data, headers=headers, token=token)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_a_picture_comes_back_as_it_was_and_feeds_a_node(server: Server, kind: str) -> None:
    data = picture(kind, colour="blue")
    sent = upload(server, data, f"image/{kind.lower()}")
    assert sent.status == 201
    assert upload(server, data, f"image/{kind.lower()}").status == 200  # once
    got = server.ask("GET", sent.data["file"]["url"])
    assert (got.body, got.headers["content-type"]) == (data, sent.data["file"]["media_type"])
    workflow = {
        "nodegraph": 1,
        "nodes": {"l": {"type": "image.load", "inputs": {"file": sent.data["use_as"]}}},
        "outputs": {"o": {"from": "l.image"}},
    }
    done = server.ask("POST", "/api/v1/jobs?wait=120", {"workflow": workflow}).data
    assert done["state"] == "done", done["problems"]
    (file,) = done["outputs"]["o"]["files"]
    with PIL.Image.open(io.BytesIO(server.ask("GET", file["url"]).body)) as made:
        assert made.size == (8, 8)


def test_pictures_are_handed_out_by_the_names_that_nodes_load(server: Server) -> None:
    kept = upload(server, picture(colour="teal")).data
    got = server.ask("GET", f"/api/v1/pictures/{kept['use_as']}")
    assert (got.status, got.body) == (200, picture(colour="teal"))
    assert server.ask("GET", "/api/v1/pictures/example.png").headers["content-type"] == "image/png"
    for name in ("nothing.png", "..%2f..%2ftoken", "..%2f..%2f..%2fetc%2fpasswd"):
        assert server.ask("GET", f"/api/v1/pictures/{name}").status == 404
    (server.data_dir / "inputs" / "notes.txt").write_text("no picture")
    assert server.ask("GET", "/api/v1/pictures/notes.txt").status == 404


def test_models_tell_their_family_where_it_is_asked_for(server: Server) -> None:
    folder = server.data_dir / "models" / "checkpoints"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "torn.safetensors").write_bytes(b"no header")
    plain = server.ask("GET", "/api/v1/models?kind=checkpoints").data["models"]
    assert {one["family"] for one in plain} == {None}
    told = server.ask("GET", "/api/v1/models?kind=checkpoints&families=true").data["models"]
    families = {one["name"]: one["family"] for one in told}
    assert families["tiny.safetensors"] == "sd1"
    assert families["torn.safetensors"] not in (None, "sd1")
    (folder / "torn.safetensors").unlink()


def test_a_form_with_one_file_is_an_upload(server: Server) -> None:
    data = picture(colour="green")
    edge = b"xx-edge"
    body = (
        b"--" + edge + b'\r\nContent-Disposition: form-data; name="file"; filename="leaf.png"\r\n'
        b"Content-Type: image/png\r\n\r\n" + data + b"\r\n--" + edge + b"--\r\n"
    )
    sent = upload(server, body, "multipart/form-data; boundary=xx-edge")
    assert (sent.status, sent.data["called"]) == (201, "leaf.png")
    listed = server.ask("GET", "/api/v1/files").data["files"]
    assert sent.data["file"]["hash"] in [one["file"]["hash"] for one in listed]


def test_ranges_are_answered(server: Server) -> None:
    data = picture(colour="yellow")
    url = upload(server, data).data["file"]["url"]
    part = server.ask("GET", url, headers={"Range": "bytes=2-5"})
    assert (part.status, part.body) == (206, data[2:6])
    assert server.ask("GET", url, headers={"Range": "bytes=99999-"}).status == 416


@pytest.mark.parametrize(
    "data",
    [
        b"", b"no picture", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"<html>", picture()[:40], bomb(),
        picture("GIF"), picture("BMP"), picture("TIFF"),
    ],
    ids=["empty", "text", "svg", "html", "cut off", "bomb", "gif", "bmp", "tiff"],
)  # fmt: skip
def test_what_is_no_sound_picture_is_refused(server: Server, data: bytes) -> None:
    sent = upload(server, data)
    assert sent.status == 422, sent.body
    assert sent.data["problems"][0]["code"] in ("not_a_picture", "picture_damaged", "picture_too_large")


def test_a_moving_picture_is_refused(server: Server) -> None:
    buffer = io.BytesIO()
    frames = [PIL.Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    frames[0].save(buffer, "WEBP", save_all=True, append_images=frames[1:])
    assert upload(server, buffer.getvalue(), "image/webp").status == 422


@pytest.mark.parametrize("media_type", ["text/html", "application/json", "image/svg+xml"])
def test_another_media_type_is_refused(server: Server, media_type: str) -> None:
    assert upload(server, picture(), media_type).status == 415


def test_files_are_their_owners(server: Server) -> None:
    url = upload(server, picture(colour="pink")).data["file"]["url"]
    token = Tokens(server.data_dir).add("berta")
    assert server.ask("GET", url, token=token).status == 404
    assert server.ask("DELETE", url, token=token).status == 404
    hers = upload(server, picture(colour="pink"), token=token).data
    assert server.ask("DELETE", url).status == 204
    assert server.ask("GET", url).status == 404
    assert server.ask("GET", hers["file"]["url"], token=token).status == 200
    Tokens(server.data_dir).remove("berta")


def test_examples_that_packs_bring_are_there_for_every_user(server: Server) -> None:
    """The templates load them."""
    token = Tokens(server.data_dir).add("dora")
    mine = server.ask("GET", "/api/v1/pictures/example.png")
    hers = server.ask("GET", "/api/v1/pictures/example.png", token=token)
    assert (hers.status, hers.body) == (200, mine.body)
    template = server.ask("GET", "/api/v1/templates/image-to-image", token=token).data
    checked = server.ask("POST", "/api/v1/check", {"workflow": template}, token=token)
    assert checked.data["problems"] == []
    Tokens(server.data_dir).remove("dora")


def test_what_a_save_node_wrote_is_handed_out_with_its_workflow(server: Server) -> None:
    loaded = upload(server, picture(colour="purple")).data["use_as"]
    workflow = {
        "nodegraph": 1,
        "nodes": {
            "l": {"type": "image.load", "inputs": {"file": loaded}},
            "s": {"type": "image.save", "inputs": {"image": {"from": "l.image"}, "prefix": "kept"}},
        },
        "outputs": {"o": {"from": "l.image"}},
    }
    done = server.ask("POST", "/api/v1/jobs?wait=120", {"workflow": workflow}).data
    (artifact,) = done["artifacts"]
    got = server.ask("GET", artifact["url"])
    assert (got.status, got.headers["content-type"]) == (200, "image/png")
    (file,) = done["outputs"]["o"]["files"]
    inside = server.ask("GET", f"{file['url']}/workflow")
    assert inside.data["nodes"] == workflow["nodes"]
    job = f"/api/v1/jobs/{done['id']}"
    assert json.loads(server.ask("GET", f"{job}/workflow").body)["nodes"] == workflow["nodes"]
    for path in ("../../token", "..%2f..%2ftoken", "/etc/passwd", "%2fetc%2fpasswd", "none.png"):
        assert server.ask("GET", f"{job}/artifacts/{path}").status == 404


def test_no_workflow_reads_somebody_elses_pictures(server: Server) -> None:
    """Neither by name, nor by path, nor because a result of the same content is in the cache."""
    mine = upload(server, picture(colour="black")).data["use_as"]
    token = Tokens(server.data_dir).add("carla")
    outside = server.data_dir.parent / "outside.png"
    outside.write_bytes(picture(colour="white"))
    for name in (mine, str(outside), "../outside.png", f"../../inputs/{mine}"):
        nodes = {"l": {"type": "image.load", "inputs": {"file": name}}}
        workflow = {"nodegraph": 1, "nodes": nodes, "outputs": {"o": {"from": "l.image"}}}
        refused = server.ask("POST", "/api/v1/jobs?wait=60", {"workflow": workflow}, token=token)
        assert refused.status == 422, name
        if name != mine:
            assert server.ask("POST", "/api/v1/jobs", {"workflow": workflow}).status == 422, name
    hers = upload(server, picture(colour="black"), token=token).data["use_as"]
    nodes = {
        "l": {"type": "image.load", "inputs": {"file": hers}},
        "s": {"type": "image.save", "inputs": {"image": {"from": "l.image"}, "prefix": "hers"}},
    }
    saved = server.ask(
        "POST", "/api/v1/jobs?wait=60", {"workflow": {"nodegraph": 1, "nodes": nodes}}, token=token
    )
    (artifact,) = saved.data["artifacts"]
    assert server.ask("GET", artifact["url"], token=token).status == 200
    assert (server.data_dir / "users" / "carla" / "outputs" / artifact["path"]).is_file()
    Tokens(server.data_dir).remove("carla")
