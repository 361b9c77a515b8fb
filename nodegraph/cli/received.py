"""What a job of a server gave: printed, or written to a file here."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click

from nodegraph.cli.outputs import check_place
from nodegraph.client import Client
from nodegraph.errors import InputError
from nodegraph.execution.files import write_whole
from nodegraph.wire.jobs import JobView, OutputView

_SUFFIXES = {"image": (".png",), "json": (".json", ".txt")}


def check_file(output: Path) -> None:
    """Fail before the job, not after. InputError where the file could not be written."""
    _check_suffix(output, [suffix for each in _SUFFIXES.values() for suffix in each])
    check_place(output)


def chosen_output(names: Iterable[str], wanted: str | None) -> str:
    """The named output that `-o` writes. InputError where it is not clear which."""
    known = list(names)
    if wanted is None and len(known) == 1:
        return known[0]
    if wanted in known:
        return str(wanted)
    message = f"there is no output '{wanted}'" if wanted else "the workflow has several outputs"
    remedy = f"Choose with --name: {', '.join(known)}."
    if not known:
        message = "the workflow has no named output to write"
        remedy = 'Add one: "outputs": {"image": {"from": "node"}}.'
    raise InputError(message, code="unknown_output", remedy=remedy)


async def write_output(client: Client, job: JobView, output: Path, name: str | None) -> list[Path]:
    """Write a job's output to a file; a batch of pictures gets numbers. The paths."""
    name = chosen_output(job.outputs, name)
    view = job.outputs[name]
    _check_kind(name, view)
    _check_suffix(output, _SUFFIXES[view.kind])
    if view.kind == "json":
        await asyncio.to_thread(_write_value, view.value, output)
        return [output]
    places = [output]
    if len(view.files) > 1:
        numbers = range(1, len(view.files) + 1)
        places = [output.with_name(f"{output.stem}_{i}{output.suffix}") for i in numbers]
    return [await client.download(*pair) for pair in zip(view.files, places, strict=True)]


def print_outputs(job: JobView) -> None:
    """Print the values of a job's outputs, and where the server keeps its pictures and files."""
    for name, view in job.outputs.items():
        if view.kind == "json":
            click.echo(f"{name}: {view.value if isinstance(view.value, str) else _text(view.value)}")
        for file in view.files:
            click.echo(f"{name}: {file.url}")
    for artifact in job.artifacts:
        click.echo(f"saved on the server: {artifact.path}")


def print_json(job: JobView) -> None:
    """Print a job as JSON."""
    click.echo(job.model_dump_json(indent=2))


def _check_kind(name: str, view: OutputView) -> None:
    if view.kind == "json" and view.value is None:
        raise InputError(
            f"the output '{name}' is nothing that leaves the server", code="cannot_export",
            remedy="Turn it into a picture, a number, text or a list first.",
        )  # fmt: skip


def _check_suffix(output: Path, suffixes: Iterable[str]) -> None:
    if output.suffix.lower() not in suffixes:
        raise InputError(
            f"'{output.name}' has no suffix that this output can be written as", code="cannot_export",
            expected=" or ".join(suffixes), found=output.suffix or "no suffix",
        )  # fmt: skip


def _write_value(value: Any, output: Path) -> None:
    as_it_is = isinstance(value, str) and output.suffix.lower() == ".txt"
    write_whole(output, lambda path: _put(path, value if as_it_is else f"{_text(value)}\n"))


def _put(path: Path, text: str) -> None:
    path.write_text(text, "utf-8")


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
