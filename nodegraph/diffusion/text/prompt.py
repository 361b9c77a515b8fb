"""The grammar of prompts: text with weights, as `(text:1.2)`.

    (text)        1.1 times the weight around it; brackets inside brackets multiply: ((text)) is 1.21
    (text:1.2)    exactly 1.2, whatever is around it
    \\( and \\)     brackets that are text

This is the reading of ComfyUI 0.3.64, unbalanced brackets included: what has no partner is text, and a
bracket that is never closed still counts where the text happens to end in `)`. Square brackets are text.
One difference: `nan` and `inf` are no weights, so `(bread:nan)` is text at 1.1.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import NamedTuple

EMPHASIS = 1.1
"""What a pair of brackets without a number multiplies the weight by."""


class Weighted(NamedTuple):
    """A stretch of a prompt with one weight; 1 leaves the text as it is."""

    text: str
    weight: float = 1.0


Symbols = list[str]
"""A text as symbols: single characters, and `\\(` and `\\)` as one symbol each."""


class _Piece(NamedTuple):
    symbols: Symbols
    weight: float
    read: bool


def parse_prompt(text: str) -> list[Weighted]:
    """The stretches of a prompt in order, each with its weight. Every text can be read; none is empty."""
    found: list[Weighted] = []
    waiting = [_Piece(_symbols(text), 1.0, read=False)]
    while waiting:
        piece = waiting.pop()
        if piece.read:
            found.append(Weighted("".join(symbol[-1] for symbol in piece.symbols), piece.weight))
        else:
            waiting += [_piece(stretch, piece.weight) for stretch in reversed(_stretches(piece.symbols))]
    return found


def format_prompt(stretches: Iterable[Weighted]) -> str:
    """A prompt that `parse_prompt` reads as exactly these stretches.

    ValueError: a text is empty or a weight not finite.
    """
    given = list(stretches)
    written: list[str] = []
    plain = False  # whether the last stretch was written without brackets: two in a row would become one
    for index, (text, weight) in enumerate(given):
        if not text or not math.isfinite(weight):
            raise ValueError(f"a stretch of a prompt is some text and a finite weight, not {given[index]}")
        escaped = text.replace("(", "\\(").replace(")", "\\)")
        # A backslash at the end would take the bracket of the next stretch for text.
        plain = weight == 1.0 and not plain and not (text.endswith("\\") and index + 1 < len(given))
        written.append(escaped if plain else f"({escaped}:{float(weight)!r})")
    return "".join(written)


def _symbols(text: str) -> Symbols:
    symbols: Symbols = []
    escaped = False
    for position, character in enumerate(text):
        if escaped:
            escaped = False
        elif character == "\\" and text[position + 1 : position + 2] in ("(", ")"):
            symbols.append(text[position : position + 2])
            escaped = True
        else:
            symbols.append(character)
    return symbols


def _stretches(symbols: Symbols) -> list[Symbols]:
    """Cut before every bracket that opens the outermost level and after the one that closes it."""
    cut: list[Symbols] = []
    current: Symbols = []
    depth = 0
    for symbol in symbols:
        if symbol == "(":
            if depth == 0 and current:
                cut.append(current)
                current = []
            depth += 1
        current.append(symbol)
        if symbol == ")":
            depth -= 1
            if depth == 0:
                cut.append(current)
                current = []
    return [*cut, current] if current else cut


def _piece(stretch: Symbols, around: float) -> _Piece:
    """A stretch as text, or, in brackets, its inside without the number, still to be read."""
    if len(stretch) < 2 or stretch[0] != "(" or stretch[-1] != ")":
        return _Piece(stretch, around, read=True)
    inside = stretch[1:-1]
    colon = max((place for place, symbol in enumerate(inside) if symbol == ":"), default=0)
    if colon > 0:
        try:
            weight = float("".join(inside[colon + 1 :]))
        except ValueError:
            weight = math.nan
        if math.isfinite(weight):
            return _Piece(inside[:colon], weight, read=False)
    return _Piece(inside, around * EMPHASIS, read=False)
