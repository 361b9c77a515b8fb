"""The values of one small tensor, read without torch: where shapes alone do not tell what a file is."""

from __future__ import annotations

import math
import struct

from nodegraph.modelfiles.safetensors_header import Header

_FORMATS = {"F16": "e", "F32": "f", "F64": "d"}
MOST = 1_000_000


def values_of(header: Header, name: str) -> list[float] | None:
    """All values of a tensor of at most a million; None if they cannot be read, or are no finite floats."""
    info = header.tensors[name]
    count = math.prod(info.shape)
    path, place = header.place_of(name)
    if info.dtype not in {*_FORMATS, "BF16"} or not 0 < count <= MOST or not place:
        return None
    try:
        with path.open("rb") as file:
            file.seek(place)
            data = file.read(info.end - info.begin)
    except OSError:
        return None
    if len(data) != info.end - info.begin:
        return None
    if info.dtype == "BF16":  # the upper half of a float32
        data = b"".join(b"\0\0" + data[at : at + 2] for at in range(0, len(data), 2))
    values = struct.unpack(f"<{count}{_FORMATS.get(info.dtype, 'f')}", data)
    return list(values) if all(map(math.isfinite, values)) else None
