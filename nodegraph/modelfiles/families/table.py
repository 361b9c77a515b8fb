"""The families of this library, in the order in which they are asked."""

from __future__ import annotations

from nodegraph.modelfiles.families.family import Family
from nodegraph.modelfiles.families.sd1 import SD1

FAMILIES: tuple[Family, ...] = (SD1,)
"""Families with the most telling keys come first. A plugin's families are asked before these."""
