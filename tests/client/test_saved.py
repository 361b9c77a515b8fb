"""Saved workflows, uploads, checks and sweeps through the client."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import PIL.Image
import pytest

from nodegraph.client import Client, ServerError
from nodegraph.errors import InputError
from tests.client.conftest import Talk, one

FINE: dict[str, Any] = {**one("naughty.fine", number=4), "inputs": {"number": {"to": ["n.number"]}}}


def test_a_workflow_is_saved_changed_run_and_thrown_away(talk: Talk) -> None:
    async def work(client: Client) -> None:
        first = await client.workflows.save("counts up", FINE, note="first")
        second = await client.workflows.save("counts up", {**FINE, "name": "b"}, base=first)
        with pytest.raises(ServerError) as late:
            await client.workflows.save("counts up", {**FINE, "name": "c"}, base=first)
        assert late.value.status == 412
        assert [one.note for one in await client.workflows.revisions("counts up")] == ["", "first"]
        assert (await client.workflows.get("counts up", 1)).document == FINE
        assert second.revision == 2
        told = await client.workflows.interface("counts up")
        assert told.inputs["number"].value == 4
        job = await client.finish((await client.workflows.submit("counts up", {"number": 8})).id)
        assert job.outputs["o"].value == 9
        await client.workflows.rename("counts up", "counts")
        await client.workflows.trash("counts")
        (thrown,) = [one for one in await client.workflows.list(trashed=True) if one.name == "counts"]
        back = await client.workflows.restore(thrown, "counts again")
        assert back.name in [one.name for one in await client.workflows.list()]
        await client.workflows.trash(back.name)
        (thrown,) = [one for one in await client.workflows.list(trashed=True) if one.name == back.name]
        await client.workflows.purge(thrown)
        assert thrown.id not in [one.id for one in await client.workflows.list(trashed=True)]

    talk(work)


def test_a_picture_is_uploaded_and_read_by_a_node(talk: Talk, tmp_path: Path) -> None:
    path = tmp_path / "leaf.png"
    PIL.Image.new("RGB", (6, 4), "green").save(path)

    async def work(client: Client) -> None:
        sent = await client.upload(path)
        assert sent.called == "leaf.png"
        workflow = one("image.load", file=sent.use_as)
        workflow["outputs"] = {"o": {"from": "n.image"}}
        job = await client.run(workflow)
        made = await client.download(job.outputs["o"].files[0], tmp_path / "back.png")
        with PIL.Image.open(io.BytesIO(made.read_bytes())) as picture:
            assert (picture.size, picture.getpixel((0, 0))) == ((6, 4), (0, 128, 0))
        with pytest.raises(ServerError) as refused:
            await client.upload(b"nothing")
        assert refused.value.status == 422
        with pytest.raises(InputError, match="cannot be read"):
            await client.upload(tmp_path / "none.png")

    talk(work)


def test_checks_and_sweeps(talk: Talk) -> None:
    async def work(client: Client) -> None:
        assert (await client.check(FINE, {"number": "x"})).problems[0].input == "number"
        assert (await client.check(FINE, {"number": 88})).plan["n"].action == "run"
        group = await client.sweep(FINE, {"number": [1, 2, 3]})
        for job in group.jobs:
            await client.finish(job.id)
        told = await client.group(group.id)
        assert [job.outputs["o"].value for job in told.jobs] == [2, 3, 4]

    talk(work)
