"""The commands that speak to a server, and their options."""

from __future__ import annotations

from pathlib import Path

import click

from nodegraph.cli.options import PASS_ON, Where, remote

OUTPUT = click.option(
    "--output", "-o", type=click.Path(path_type=Path), default=None,
    help="Write the named output to this file once it is there: pictures as .png, numbers, text and lists as "
    ".json or .txt. A batch gets numbers.",
)  # fmt: skip
NAME = click.option(
    "--name", "output_name", default=None, help="Which named output -o writes, if there are several."
)
JSON = click.option("--json", "as_json", is_flag=True, help="Print the job as JSON.")


@click.command(context_settings=PASS_ON)
@click.argument("workflow")
@click.option("--input", "-i", "pairs", multiple=True, metavar="NAME=VALUE", help="Set a named input.")
@OUTPUT
@NAME
@click.option("--wait", is_flag=True, help="Wait for the end; print what the job gave.")
@click.option("--watch", is_flag=True, help="Wait for the end and show the progress.")
@click.option(
    "--priority", type=click.IntRange(-100, 100), default=0, show_default=True, metavar="N",
    help="-100 to 100; higher ones start first.",
)  # fmt: skip
@click.option("--title", default="", help="What the job is called in lists.")
@JSON
@remote
@click.pass_context
def submit(context: click.Context, /, where: Where, **options: object) -> None:
    """Submit a workflow to a server; print the job's id.

    WORKFLOW and its named inputs are given as to `nodegraph run`: a JSON file, a picture that nodegraph
    saved, or template:NAME, and --prompt "a red circle" --seed 3. With --wait, --watch or -o the command ends
    with the job. Ctrl-C ends the waiting and not the job. Exit codes: 0 done (or submitted), 1 failed, 2 bad
    input, 130 cancelled or left.
    """
    from nodegraph.cli.submit import submit_workflow

    submit_workflow(extra=context.args, where=where, **options)  # type: ignore[arg-type] # click checks the types


@click.command()
@click.argument("job", required=False)
@OUTPUT
@NAME
@JSON
@remote
def watch(job: str | None, where: Where, output: Path | None, output_name: str | None, as_json: bool) -> None:
    """Show the progress of a job until it is over, then what it gave.

    JOB is an id or a number; without it, the job that runs or the next to start. Ctrl-C ends the watching and
    not the job. Exit codes: 0 done, 1 failed, 130 cancelled or left.
    """
    from nodegraph.cli.jobs import speak, watch_job

    speak(where, lambda client: watch_job(client, job, output, output_name, as_json))


class _ListsAlone(click.Group):
    """A group that lists where no command is named."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if not args or (args[0].startswith("-") and args[0] not in ("-h", "--help")):
            args = ["list", *args]
        return super().parse_args(ctx, args)


@click.group(cls=_ListsAlone)
def jobs() -> None:
    """List, show, cancel and retry the jobs of a server; pause it. Without a command: list.

    JOB is an id or a number, as `list` prints them.
    """


@jobs.command("list")
@click.option(
    "--count", "-n", type=click.IntRange(1), default=20, show_default=True, help="How many: the newest."
)
@click.option("--json", "as_json", is_flag=True, help="Print the jobs as JSON.")
@remote
def jobs_list(where: Where, count: int, as_json: bool) -> None:
    """List your jobs, the newest first."""
    from nodegraph.cli.jobs import list_jobs, speak

    speak(where, lambda client: list_jobs(client, count, as_json))


@jobs.command("show")
@click.argument("job")
@JSON
@remote
def jobs_show(job: str, where: Where, as_json: bool) -> None:
    """Say how a job stands: state, times, inputs, results, problems."""
    from nodegraph.cli.jobs import show_job, speak

    speak(where, lambda client: show_job(client, job, as_json))


@jobs.command("cancel")
@click.argument("names", nargs=-1, required=True, metavar="JOB...")
@remote
def jobs_cancel(names: tuple[str, ...], where: Where) -> None:
    """Stop jobs: at once those that wait, soon those that run. Those that are over stay as they are."""
    from nodegraph.cli.jobs import cancel_jobs, speak

    speak(where, lambda client: cancel_jobs(client, names))


@jobs.command("retry")
@click.argument("job")
@remote
def jobs_retry(job: str, where: Where) -> None:
    """Submit a job that is over once more; print the new job's id."""
    from nodegraph.cli.jobs import retry_job, speak

    speak(where, lambda client: retry_job(client, job))


@jobs.command("pause")
@remote
def jobs_pause(where: Where) -> None:
    """Start no more jobs until `resume`. What runs goes on. For the owner of the server."""
    from nodegraph.cli.jobs import pause_queue, speak

    speak(where, lambda client: pause_queue(client, True))


@jobs.command("resume")
@remote
def jobs_resume(where: Where) -> None:
    """Start jobs again after `pause`. For the owner of the server."""
    from nodegraph.cli.jobs import pause_queue, speak

    speak(where, lambda client: pause_queue(client, False))


COMMANDS = (submit, watch, jobs)
