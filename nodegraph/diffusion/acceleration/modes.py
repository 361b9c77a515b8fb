"""What the user may ask for."""

from __future__ import annotations

from dataclasses import dataclass

from nodegraph.errors import InputError


@dataclass(frozen=True, slots=True)
class Acceleration:
    """compile: denoisers go through `torch.compile`; graphs: their steps are captured as CUDA graphs.

    A captured step runs the same kernels, so its bits are those of the eager one. A compiled network fuses
    operations and rounds differently, which is why it has a part in the execution profile.
    """

    compile: bool = False
    graphs: bool = False

    @property
    def wanted(self) -> bool:
        """Whether anything is asked for."""
        return self.compile or self.graphs


MODES = {
    "off": Acceleration(),
    "compile": Acceleration(compile=True),
    "graphs": Acceleration(graphs=True),
    "both": Acceleration(compile=True, graphs=True),
}


def acceleration_named(name: str) -> Acceleration:
    """`off`, `compile`, `graphs` or `both`; InputError for other names."""
    if name not in MODES:
        raise InputError(
            "the acceleration is unknown", input="accelerate", expected=", ".join(MODES), found=f"'{name}'"
        )
    return MODES[name]
