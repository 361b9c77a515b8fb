"""Whether the write-ahead log of a database that was not closed is whole.

SQLite takes a damaged frame for the end of the log and silently forgets what was committed behind it. A
power cut tears at most the last transaction; where more than one lies behind the first frame that does not
check, the file was damaged. Format: https://www.sqlite.org/fileformat2.html#the_write_ahead_log
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

_HEADER = struct.Struct(">8I")
_FRAME = struct.Struct(">6I")
_MAGIC = 0x377F0682
_BIG = 1
_PAGE = 4096
"""The usual size, where the header that tells it is damaged."""


def lost_commits(path: Path) -> int:
    """How many transactions lie behind the first damaged frame of the log beside the database at `path`.

    0 where there is no log, or all of it checks. One may be the torn end of a crash.
    """
    log = path.with_name(path.name + "-wal")
    try:
        data = log.read_bytes()
    except FileNotFoundError:
        return 0
    if len(data) < _HEADER.size:
        return 0
    magic, _, page, _, *salts_and_sums = _HEADER.unpack_from(data)
    order = ">" if magic & _BIG else "<"
    if magic & ~_BIG != _MAGIC or _sums(order, data[:24], (0, 0)) != tuple(salts_and_sums[2:]):
        return sum(1 for _, frame in _frames(data, _PAGE) if frame[1])
    sums, salts, sound, lost = tuple(salts_and_sums[2:]), tuple(salts_and_sums[:2]), True, 0
    for start, frame in _frames(data, page):
        if (frame[2], frame[3]) != salts:
            sound = False  # of an earlier round of the log, or damaged: then more of this round follow
            continue
        if sound:
            body = data[start + _FRAME.size : start + _FRAME.size + page]
            sums = _sums(order, data[start : start + 8] + body, sums)
            sound = sums == (frame[4], frame[5])
        if not sound and frame[1]:
            lost += 1
    return lost


def _frames(data: bytes, page: int) -> Iterator[tuple[int, tuple[int, ...]]]:
    """Where every frame starts, and its header; its second number is set where it ends a transaction."""
    size = _FRAME.size + page
    for start in range(_HEADER.size, len(data) - size + 1, size):
        yield start, _FRAME.unpack_from(data, start)


def _sums(order: str, data: bytes, before: tuple[int, ...]) -> tuple[int, int]:
    """The cumulative checksum of the format."""
    first, second = before
    words = struct.unpack(f"{order}{len(data) // 4}I", data)
    for even, odd in zip(words[::2], words[1::2], strict=True):
        first = (first + even + second) & 0xFFFFFFFF
        second = (second + odd + first) & 0xFFFFFFFF
    return first, second
