"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, NamedTuple

import click

from nodegraph.modelfiles.kinds import MODEL_KINDS
from nodegraph.runtime import ACCELERATIONS

DATA_DIR = click.option(
    "--data-dir", type=click.Path(path_type=Path), default=None, envvar="NODEGRAPH_DATA",
    help="Where models, results and memory are kept (default: the system's place; or NODEGRAPH_DATA).",
)  # fmt: skip
DEVICE = click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda, cuda:N or mps.")
DTYPE = click.option("--dtype", default="auto", show_default=True, help="auto, float32, float16 or bfloat16.")
ACCELERATE = click.option(
    "--accelerate", default="off", show_default=True, metavar="NAMES",
    help=f"For denoisers: {', '.join(ACCELERATIONS)}, with commas between; first steps take longer.",
)  # fmt: skip
KIND = click.option(
    "--kind", type=click.Choice(MODEL_KINDS), metavar="KIND", default=None,
    help="checkpoints, loras, vae, text_encoders …",
)  # fmt: skip
PASS_ON = {"ignore_unknown_options": True, "allow_extra_args": True}
_SERVER = (
    click.option(
        "--server", default=None, envvar="NODEGRAPH_SERVER", metavar="URL",
        help="The server (default: http://127.0.0.1:8188; or NODEGRAPH_SERVER).",
    ),
    click.option(
        "--token", default=None, envvar="NODEGRAPH_TOKEN", metavar="TOKEN",
        help="Your token (default: of the local data directory; or NODEGRAPH_TOKEN).",
    ),
    click.option(
        "--data-dir", type=click.Path(path_type=Path), default=None, envvar="NODEGRAPH_DATA",
        help="The local server's data directory, where its token lies (or NODEGRAPH_DATA).",
    ),
)  # fmt: skip


class Where(NamedTuple):
    """Which server, as the options say."""

    server: str | None
    token: str | None
    data_dir: Path | None


def remote(command: Callable[..., None]) -> Callable[..., None]:
    """A command that speaks to a server: it gets `where` for the options --server, --token and --data-dir."""

    @wraps(command)
    def run(
        *arguments: Any, server: str | None, token: str | None, data_dir: Path | None, **options: Any
    ) -> None:
        command(*arguments, where=Where(server, token, data_dir), **options)

    decorated: Callable[..., None] = run
    for option in reversed(_SERVER):
        decorated = option(decorated)
    return decorated
