"""`nodegraph serve`: the server in this process, its workers in theirs."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import click

from nodegraph.engine import default_data_dir
from nodegraph.errors import InputError
from nodegraph.server.app import serve
from nodegraph.server.settings import ServerSettings, worker_devices


def serve_here(
    *, host: str, port: int, workers: str, expose: bool, data_dir: Path | None, worker_memory: float | None,
    **options: Any,
) -> None:  # fmt: skip
    """Serve until Ctrl-C. options: as of `ServerSettings`.

    InputError: the address is taken, or needs --expose.
    """
    settings = ServerSettings(
        data_dir=data_dir or default_data_dir(), host=host, port=port, workers=worker_devices(workers),
        memory=int(worker_memory * 2**30) if worker_memory is not None else None, **options,
    )  # fmt: skip

    def started(port: int, token: str) -> None:
        click.echo(f"nodegraph serves at http://{host}:{port}/?token={token}")
        click.echo("Stop it with Ctrl-C: running jobs are put back and go on at the next start.")

    try:
        asyncio.run(serve(settings, started, exposed=expose))
    except OSError as error:
        raise InputError(
            f"the server cannot listen at {host}:{port}: {error.strerror or error}", code="address_in_use",
            input="port", remedy="Name another --port, or end what listens there.",
        ) from None  # fmt: skip
