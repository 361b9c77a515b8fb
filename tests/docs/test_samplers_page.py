"""The page on samplers says what the catalogue says. Run as a program, this prints the table for it."""

from __future__ import annotations

from pathlib import Path

from nodegraph.diffusion.samplers import ALIASES, CATALOGUE, WithoutPenultimate
from nodegraph.diffusion.samplers.catalogue import Entry
from nodegraph.diffusion.schedulers import SCHEDULERS

PAGE = Path(__file__).parents[2] / "docs" / "samplers.md"
HEAD = ("| name | paper | order | noise | evaluations per step |", "|---|---|---|---|---|")


def table() -> list[str]:
    return [
        *HEAD,
        *(
            f"| `{entry.name}`{mark(entry)} | {entry.paper} | {entry.order or '–'} "
            f"| {entry.noise} | {entry.evaluations or 'varies'} |"
            for entry in CATALOGUE
        ),
    ]


def mark(entry: Entry) -> str:
    return " *" if isinstance(entry.sampler, WithoutPenultimate) else ""


def test_the_table_is_that_of_the_catalogue() -> None:
    lines = PAGE.read_text("utf-8").splitlines()
    assert [line for line in lines if line.startswith("|")][: len(table())] == table()


def test_every_other_name_and_scheduler_is_told_of() -> None:
    text = PAGE.read_text("utf-8")
    for name in [*ALIASES, *SCHEDULERS]:
        assert f"`{name}`" in text, name


if __name__ == "__main__":
    print("\n".join(table()))
