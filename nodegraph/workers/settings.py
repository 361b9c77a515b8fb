"""What a worker is told when it starts, as JSON on its command line."""

from __future__ import annotations

from msgspec import Struct


class WorkerSettings(Struct, frozen=True, kw_only=True):
    """data_dir, device, dtype, accelerate, model_bytes, cache_bytes: as for `Engine`; packs: more packs, each
    as `module:object`, for tests and for packs that are not installed; threads: how many a computation on
    the CPU takes (None: one for each core).
    """

    data_dir: str
    device: str = "auto"
    dtype: str = "auto"
    accelerate: str = "off"
    model_bytes: int | None = None
    cache_bytes: int = 2 * 2**30
    packs: tuple[str, ...] = ()
    threads: int | None = None
