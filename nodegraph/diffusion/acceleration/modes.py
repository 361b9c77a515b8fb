"""What the user may ask for."""

from __future__ import annotations

from dataclasses import dataclass

from nodegraph.runtime import accelerations


@dataclass(frozen=True, slots=True)
class Acceleration:
    """compile: denoisers go through `torch.compile`; graphs: their steps are captured as CUDA graphs.

    channels_last: convolutions keep the channels of a pixel side by side in memory, as tensor cores read
    them. A captured step runs the same kernels as the eager one. The other two compute in another order and
    round differently, which is why they have a part in the execution profile.
    """

    compile: bool = False
    graphs: bool = False
    channels_last: bool = False

    @property
    def steps(self) -> bool:
        """Whether steps are to be run another way than eagerly."""
        return self.compile or self.graphs

    @property
    def profile(self) -> str:
        """What it adds to the execution profile; empty where it changes no bit."""
        return " channels-last" * self.channels_last + " compiled" * self.compile


def acceleration_named(names: str) -> Acceleration:
    """What the names of `nodegraph.runtime.ACCELERATIONS` ask for. InputError for other names."""
    wanted = {name.replace("-", "_"): True for name in accelerations(names)}
    return Acceleration(**wanted)
