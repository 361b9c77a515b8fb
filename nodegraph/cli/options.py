"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path

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
