"""From errors to sentences on stderr and exit codes."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from typing import Any

import click

from nodegraph.client.errors import JobFailedError, ServerError
from nodegraph.errors import (
    CancelledError,
    InputError,
    NodegraphError,
    Problem,
    RunFailedError,
    WorkflowError,
)

FAILED, BAD_INPUT, CANCELLED = 1, 2, 130


class LeftError(NodegraphError):
    """Ctrl-C ended the command and not the job that it followed."""

    code = "left"


def guarded(command: Callable[..., Any]) -> int:
    """Run a click command; the exit code for what came of it."""
    try:
        command(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return BAD_INPUT
    except (click.Abort, KeyboardInterrupt, CancelledError):
        click.echo("cancelled", err=True)
        return CANCELLED
    except LeftError as error:
        click.echo(error.problem.message, err=True)
        return CANCELLED
    except NodegraphError as error:
        report(error)
        return exit_code(error)
    except BrokenPipeError:
        sys.stderr.close()  # the reader of our output has gone; there is nobody to tell
        return FAILED
    except OSError as error:  # a name that is too long, a folder that may not be read
        place = f"'{error.filename}': " if error.filename is not None else ""
        click.echo(f"error: {place}{error.strerror or error}", err=True)
        return BAD_INPUT
    return 0


def report(error: NodegraphError) -> None:
    """Print every problem of an error, one paragraph each."""
    for problem in problems_of(error):
        click.echo(f"error: {problem.describe()}", err=True)


def problems_of(error: NodegraphError) -> Iterator[Problem]:
    """The problems inside an error."""
    if isinstance(error, WorkflowError | ServerError | JobFailedError):
        yield from error.problems or (error.problem,)
    elif isinstance(error, RunFailedError):
        yield from (failure.problem for failure in error.failures)
    else:
        yield error.problem


def exit_code(error: NodegraphError) -> int:
    """2 where what the user gave cannot be used, 1 where a run failed."""
    if isinstance(error, RunFailedError):
        bad_input = all(isinstance(failure.cause, InputError | WorkflowError) for failure in error.failures)
        return BAD_INPUT if bad_input else FAILED
    if isinstance(error, ServerError):
        return BAD_INPUT if 400 <= error.status < 500 else FAILED
    return BAD_INPUT if isinstance(error, WorkflowError | InputError) else FAILED
