"""The families of this library, in the order in which they are asked."""

from __future__ import annotations

from nodegraph.modelfiles.families.family import Family
from nodegraph.modelfiles.families.flux import FLUX_CONTROL, FLUX_DEV, FLUX_FILL, FLUX_SCHNELL
from nodegraph.modelfiles.families.sd1 import SD1
from nodegraph.modelfiles.families.sd2 import SD2
from nodegraph.modelfiles.families.sd3 import SD3, SD35_LARGE, SD35_MEDIUM
from nodegraph.modelfiles.families.sdxl import REFINER, SDXL

FAMILIES: tuple[Family, ...] = (
    SD3, SD35_MEDIUM, SD35_LARGE, FLUX_DEV, FLUX_SCHNELL, FLUX_FILL, FLUX_CONTROL, SDXL, REFINER, SD2, SD1,
)  # fmt: skip
"""Families with the most telling keys come first. A plugin's families are asked before these."""
