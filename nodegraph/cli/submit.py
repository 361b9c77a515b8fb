"""`nodegraph submit`: a workflow to a server, with named inputs as `nodegraph run` takes them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import click

from nodegraph.cli.follow import to_the_end
from nodegraph.cli.options import Where
from nodegraph.cli.received import check_file, chosen_output, print_json
from nodegraph.cli.sources import find_workflow, guessed, input_values, load_workflow, pairs_of
from nodegraph.client import Client
from nodegraph.engine import Engine
from nodegraph.errors import InputError


class Submission(NamedTuple):
    """What to submit; outputs are the names of the workflow's, or None where only the server knows it."""

    workflow: Mapping[str, Any] | str
    inputs: Mapping[str, Any]
    outputs: tuple[str, ...] | None


def submit_workflow(
    workflow: str, *, pairs: Sequence[str], extra: Sequence[str], output: Path | None,
    output_name: str | None, wait: bool, watch: bool, priority: int, title: str, as_json: bool, where: Where,
) -> None:  # fmt: skip
    """Submit a workflow and print the job's id; or wait for the end and print or write what it gave."""
    if output is not None:
        check_file(output)
    workflow, extra = find_workflow(workflow, extra)
    wanted = _read(workflow, pairs, extra, where.data_dir)
    targets = None
    if output is not None and wanted.outputs is not None:
        output_name = chosen_output(wanted.outputs, output_name)
        targets = [output_name]

    async def work() -> None:
        async with Client.from_environment(*where) as client:
            job = await client.submit(
                wanted.workflow, wanted.inputs, targets=targets, priority=priority, title=title
            )
            if wait or watch or output is not None:
                await to_the_end(
                    client, job, live=watch, output=output, output_name=output_name, as_json=as_json
                )
            elif as_json:
                print_json(job)
            else:
                click.echo(job.id)

    asyncio.run(work())


def _read(workflow: str, pairs: Sequence[str], extra: Sequence[str], data_dir: Path | None) -> Submission:
    """The workflow, and its inputs with the types that it wants. What is wrong with it the server says."""
    with Engine(data_dir) as engine:
        if workflow.startswith("template:") and workflow[9:] not in engine.registry.templates:
            return Submission(workflow, _untyped(pairs, extra), None)  # the server may have more packs
        document = load_workflow(engine, workflow)
        inputs = input_values(engine, document, pairs, extra)
    named = workflow.startswith("template:")
    return Submission(workflow if named else document.to_json(), inputs, tuple(document.outputs))


def _untyped(pairs: Sequence[str], extra: Sequence[str]) -> dict[str, Any]:
    """Values of inputs that only the server knows."""
    return {name: guessed(text) for name, text in (pairs_of(pairs) | _options(extra)).items()}


def _options(extra: Sequence[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    words = list(extra)
    while words:
        name, equals, text = words.pop(0).partition("=")
        if not name.startswith("--") or not (equals or words):
            raise InputError(f"'{name}' is no option with a value", remedy="Write --prompt 'a red circle'.")
        found[name.removeprefix("--").replace("-", "_")] = text if equals else words.pop(0)
    return found
