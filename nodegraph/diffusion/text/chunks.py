"""How the tokens of a prompt are laid out in chunks of the length that a text encoder was trained on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from torch import Tensor

LONG = 8
"""A group of this many tokens may be cut at the end of a chunk; a shorter one moves to the next chunk."""


class Token(NamedTuple):
    """One token of a prompt with its weight; with a vector [D] that stands for it, the id says nothing."""

    id: int
    weight: float = 1.0
    vector: Tensor | None = None


Group = Sequence[Token]
"""Tokens that stay together where they fit: those of one stretch of the prompt."""


@dataclass(frozen=True, slots=True)
class Frame:
    """What stands around the tokens of a chunk: `length` counts start, end and padding too."""

    start: int
    end: int
    pad: int
    length: int = 77

    def chunks(self, groups: Iterable[Group]) -> list[list[Token]]:
        """The groups as one or more chunks of `length` tokens, each with its own start, end and padding.

        A group that does not fit the rest of a chunk begins the next one, unless it is `LONG`: then it
        fills the chunk and goes on in the next. The layout of ComfyUI 0.3.64.
        """
        room = self.length - 2
        bodies: list[list[Token]] = [[]]
        for group in groups:
            rest = list(group)
            while len(rest) > room - len(bodies[-1]):
                if len(group) >= LONG:
                    space = room - len(bodies[-1])
                    bodies[-1] += rest[:space]
                    rest = rest[space:]
                bodies.append([])
            bodies[-1] += rest
        return [self._framed(body) for body in bodies]

    def empty(self) -> list[Token]:
        """The chunk of a prompt without text."""
        return self._framed([])

    def _framed(self, body: list[Token]) -> list[Token]:
        padding = [Token(self.pad)] * (self.length - 2 - len(body))
        return [Token(self.start), *body, Token(self.end), *padding]
