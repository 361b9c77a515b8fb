"""Progress bars for nodes on stderr. Without a terminal: one line for each node that ran."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn


class Bars:
    """A bar for every node that runs now. `title` says what a node is called on the screen."""

    def __init__(self, title: Callable[[str], str] = str, *, quiet: bool = False) -> None:
        self._title = title
        self._console = Console(stderr=True, quiet=quiet)
        self._bars: dict[str, TaskID] = {}
        self._progress = Progress(
            TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(),
            console=self._console, transient=True, disable=quiet or not self._console.is_terminal,
        )  # fmt: skip

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def hashing(self, name: str, done: int, total: int) -> None:
        """A file is being hashed."""
        title = f"hash of {name}"
        self._bar(title, title, total)
        self._progress.update(self._bars[title], completed=done, total=total)
        if done >= total:
            self._close(title)

    def started(self, node: str) -> None:
        """A node begins."""
        self._bar(node, self._title(node), None)

    def progress(self, node: str, done: int, total: int) -> None:
        """A node is that far; who comes late has not seen it begin."""
        self.started(node)
        self._progress.update(self._bars[node], completed=done, total=total)

    def finished(self, node: str, seconds: float | None) -> None:
        """A node is through; seconds: how long it ran, or None if it did not."""
        self._close(node)
        if seconds is not None and not self._console.is_terminal:
            self.say(f"{self._title(node)}: {seconds:.2f} s")

    def say(self, text: str) -> None:
        """Print a line above the bars."""
        self._console.print(text, highlight=False, markup=False, soft_wrap=True)

    def clear(self) -> None:
        """Nothing runs any more."""
        for name in list(self._bars):
            self._close(name)

    def _bar(self, name: str, title: str, total: int | None) -> None:
        if name not in self._bars:
            self._bars[name] = self._progress.add_task(title, total=total)

    def _close(self, name: str) -> None:
        if name in self._bars:
            self._progress.remove_task(self._bars.pop(name))
