"""The commands and their options."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import click

from nodegraph import __version__
from nodegraph.cli import administration, remote
from nodegraph.cli.options import ACCELERATE, DATA_DIR, DEVICE, DTYPE, KIND, PASS_ON
from nodegraph.modelfiles.kinds import MODEL_KINDS


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="nodegraph")
def app() -> None:
    """Typed node graphs for diffusion image generation."""


for command in (*administration.COMMANDS, *remote.COMMANDS):
    app.add_command(command)


@app.command(context_settings=PASS_ON)
@click.argument("workflow")
@click.option("--input", "-i", "pairs", multiple=True, metavar="NAME=VALUE", help="Set a named input.")
@click.option(
    "--output", "-o", type=click.Path(path_type=Path), default=None,
    help="Write the named output to this file (and run only what it needs): pictures as .png, .jpg, .webp, "
    "numbers, text and lists as .json or .txt. A batch gets numbers.",
)  # fmt: skip
@click.option(
    "--name", "output_name", default=None, help="Which named output -o writes, if there are several."
)
@DEVICE
@DTYPE
@click.option(
    "--disk-cache", type=click.FloatRange(min=0), default=4.0, show_default=True, metavar="GIB",
    help="How much of the disk results may take that later runs reuse; 0 switches it off.",
)  # fmt: skip
@click.option(
    "--sweep", "sweeps", multiple=True, metavar="NAME=VALUES",
    help="Run once for each value and make a contact sheet: seed=1..8, cfg=4,7, 'prompt=a cat|a dog'. "
    "Several axes span a grid. The sheet itself is a WORKFLOW that sweeps again.",
)  # fmt: skip
@click.option(
    "--sweep-mode", type=click.Choice(["grid", "zip"]), default="grid", show_default=True,
    help="Combine all values of the axes, or take them side by side.",
)  # fmt: skip
@click.option(
    "--previews", type=click.Path(path_type=Path), default=None, metavar="FOLDER",
    help="While the run goes on, write its unfinished pictures here, and those that nodes show.",
)  # fmt: skip
@click.option(
    "--debug", is_flag=True, help="Check that no node changes its inputs, and name the one that does (slow)."
)
@click.option(
    "--model-memory", type=click.FloatRange(min=0, min_open=True), default=None, metavar="GIB",
    help="Memory for weights on the device (default: 60 % of it). Larger models are streamed through it.",
)  # fmt: skip
@ACCELERATE
@click.option(
    "--explain-memory", is_flag=True, help="After the run, list every held byte of weights: owner and reason."
)
@click.option("--dry-run", is_flag=True, help="Show the plan and run nothing.")
@click.option("--quiet", "-q", is_flag=True, help="Print only the result: its path, or its value.")
@DATA_DIR
@click.pass_context
def run(context: click.Context, /, **options: object) -> None:
    """Run a workflow.

    WORKFLOW is a JSON file, a picture that nodegraph saved, or template:NAME. Every named input of the
    workflow is an option too: --prompt "a red circle" --seed 3 (a seed may be "random"). Named outputs that
    are numbers, text, booleans or lists are printed; the paths of saved files come last. `nodegraph check
    WORKFLOW` lists the named inputs.
    """
    from nodegraph.cli.run import run_workflow

    run_workflow(extra=context.args, **options)  # type: ignore[arg-type] # click checks the types


@app.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen at.")
@click.option("--port", type=click.IntRange(0, 65535), default=8188, show_default=True, help="0: any.")
@click.option(
    "--workers", default="auto", show_default=True, help="A device for each worker: cpu,cpu or cuda:0,cuda:1."
)
@DTYPE
@ACCELERATE
@click.option("--pack", "packs", multiple=True, metavar="MODULE:OBJECT", help="One more pack for workers.")
@click.option("--expose", is_flag=True, help="Allow an address that other machines can reach.")
@click.option(
    "--host-name", "hosts", multiple=True, metavar="NAME", help="A name by which it may be called besides."
)
@click.option("--offline", is_flag=True, help="Call nobody: no downloads, no webhooks.")
@click.option(
    "--worker-memory", type=click.FloatRange(min=0.1), default=None, metavar="GIB",
    help="A worker that takes more is ended, with the job that it runs.",
)  # fmt: skip
@click.option(
    "--retries", type=click.IntRange(0, 100), default=2, show_default=True,
    help="How often a job is tried again whose worker died.",
)  # fmt: skip
@click.option(
    "--keep-jobs", type=click.IntRange(1), default=10_000, show_default=True,
    help="How many jobs that are over are kept.",
)  # fmt: skip
@click.option("--keep-days", type=click.FloatRange(min=0), default=None, help="How many days they are kept.")
@click.option(
    "--log-format", type=click.Choice(["text", "json"]), default="text", show_default=True,
    help="The log on standard error: for people, or an object a line.",
)  # fmt: skip
@click.option(
    "--log-level", type=click.Choice(["debug", "info", "warning", "error"]), default="info",
    show_default=True, help="What is logged at all.",
)  # fmt: skip
@DATA_DIR
def serve(expose: bool, log_format: Literal["text", "json"], log_level: str, **options: Any) -> None:
    """Run the server: workflows are submitted over HTTP and run by worker processes.

    Jobs are kept on the disk before they are acknowledged, and outlive the server. Every request needs the
    token in the URL that is printed.
    """
    from nodegraph.cli.serve import serve_here
    from nodegraph.server.logs import set_up

    set_up(log_format, log_level)
    serve_here(expose=expose, **options)


@app.command(context_settings=PASS_ON)
@click.argument("workflow")
@click.option("--input", "-i", "pairs", multiple=True, metavar="NAME=VALUE", help="Set a named input.")
@DATA_DIR
@click.pass_context
def check(context: click.Context, workflow: str, pairs: tuple[str, ...], data_dir: Path | None) -> None:
    """Find every problem of a workflow without running it; list its named inputs and outputs."""
    from nodegraph.cli.check import check_workflow

    check_workflow(workflow, pairs, context.args, data_dir)


@app.command()
@click.argument("node_id", metavar="[ID]", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print the catalogue as JSON.")
@DATA_DIR
def nodes(node_id: str | None, as_json: bool, data_dir: Path | None) -> None:
    """List the node types, or explain one."""
    from nodegraph.cli.catalogue import show_nodes

    show_nodes(node_id, as_json, data_dir)


@app.command()
@DATA_DIR
def templates(data_dir: Path | None) -> None:
    """List the packaged workflows."""
    from nodegraph.cli.catalogue import show_templates

    show_templates(data_dir)


@app.command("export-python")
@click.argument("workflow")
@DATA_DIR
def export_python(workflow: str, data_dir: Path | None) -> None:
    """Print a workflow as Python code that builds the same workflow."""
    from nodegraph.cli.export import print_python

    print_python(workflow, data_dir)


@app.group()
def cache() -> None:
    """Show, explain and clear the results that are kept on disk between runs."""


@cache.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print key, node, bytes, seconds and last use as JSON.")
@DATA_DIR
def cache_list(as_json: bool, data_dir: Path | None) -> None:
    """List the results on disk, the last used first: which node made them, their size, what they took."""
    from nodegraph.cli.cache import list_cache

    list_cache(as_json, data_dir)


@cache.command("explain", context_settings=PASS_ON)
@click.argument("workflow")
@click.option("--input", "-i", "pairs", multiple=True, metavar="NAME=VALUE", help="Set a named input.")
@DEVICE
@DTYPE
@DATA_DIR
@click.pass_context
def cache_explain(
    context: click.Context, workflow: str, pairs: tuple[str, ...], device: str, dtype: str,
    data_dir: Path | None,
) -> None:  # fmt: skip
    """Say for every node of a workflow whether it would run or be reused, and why. Nothing is run.

    WORKFLOW and its named inputs are given as to `nodegraph run`; so are device and dtype, since results of
    another device are others.
    """
    from nodegraph.cli.cache import explain_workflow

    explain_workflow(workflow, pairs, context.args, device, dtype, data_dir)


@cache.command("clear")
@DATA_DIR
def cache_clear(data_dir: Path | None) -> None:
    """Remove every result on disk. Models, inputs and saved pictures stay."""
    from nodegraph.cli.cache import clear_cache

    clear_cache(data_dir)


@app.group()
def models() -> None:
    """List, explain, pull, hash and verify model files."""


@models.command("list")
@click.argument("words", nargs=-1)
@KIND
@click.option("--family", default=None, help="Only those whose family holds this text: sd1, sdxl, flux …")
@click.option("--json", "as_json", is_flag=True, help="Print kind, name, path, size, sha256, family as JSON.")
@DATA_DIR
def models_list(
    words: tuple[str, ...], kind: str | None, family: str | None, as_json: bool, data_dir: Path | None
) -> None:
    """List the model files whose names hold all WORDS, or all of them."""
    from nodegraph.cli.models import list_models

    list_models(words, kind, family, as_json, data_dir)


@models.command("show")
@click.argument("name")
@KIND
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
@DATA_DIR
def models_show(name: str, kind: str | None, as_json: bool, data_dir: Path | None) -> None:
    """Say what a model file is: family, parts, dtype, metadata, preview. Only its header is read.

    NAME is a name, a path, or the first digits of a hash.
    """
    from nodegraph.cli.models import show_model

    show_model(name, kind, as_json, data_dir)


@models.command("hash")
@click.argument("names", nargs=-1)
@KIND
@DATA_DIR
def models_hash(names: tuple[str, ...], kind: str | None, data_dir: Path | None) -> None:
    """Print the sha256 of model files, or compute those that are not known yet."""
    from nodegraph.cli.models import hash_models

    hash_models(names, kind, data_dir)


@models.command("verify")
@click.argument("names", nargs=-1)
@KIND
@DATA_DIR
def models_verify(names: tuple[str, ...], kind: str | None, data_dir: Path | None) -> None:
    """Read model files again and compare them with their recorded hashes; exit code 1 if one differs."""
    from nodegraph.cli.models import verify_models

    verify_models(names, kind, data_dir)


@models.command("convert")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
def models_convert(files: tuple[Path, ...]) -> None:
    """Turn pickles that you trust (.ckpt, .pt, .pth, .bin) into safetensors beside them.

    A pickle can run code when it is opened. This reads tensors and plain containers and refuses the rest;
    naming a file here is the only way to have it opened: no workflow can.
    """
    from nodegraph.cli.convert import convert_models

    convert_models(files)


@models.command("pull")
@click.argument("source")
@click.option(
    "--kind", type=click.Choice(MODEL_KINDS), default="checkpoints", show_default=True, metavar="KIND",
    help="The folder it goes to.",
)  # fmt: skip
@click.option("--name", default=None, help="What it is called there; may name a folder inside.")
@click.option("--sha256", default=None, help="What its content must be; a file here that has it is enough.")
@click.option("--revision", default=None, help="A branch, tag or commit of the repository on the hub.")
@click.option("--allow-pickle", is_flag=True, help="Also .ckpt, .pt, .pth and .bin, which can hold code.")
@DATA_DIR
def models_pull(
    source: str, kind: str, name: str | None, sha256: str | None, revision: str | None, allow_pickle: bool,
    data_dir: Path | None,
) -> None:  # fmt: skip
    """Pull a model file into the folder of its kind. What was interrupted goes on where it stopped.

    SOURCE is org/repo/path/file.safetensors on the Hugging Face hub, or a URL.
    """
    from nodegraph.cli.pull import pull_model

    pull_model(source, kind, name, sha256, revision, allow_pickle, data_dir)
