"""A checkpoint as the store knows it: its header read and understood once."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from nodegraph.errors import ModelFileError
from nodegraph.modelfiles.families import Checkpoint, component_names, component_shapes, inspect
from nodegraph.modelfiles.safetensors_header import Header
from nodegraph.modelfiles.shapes import Shapes


@dataclass(frozen=True, slots=True)
class BaseFile:
    """A header with what follows from it.

    names: component -> (name in the network -> name in the file); shapes: component -> (name -> shape).
    """

    header: Header
    checkpoint: Checkpoint
    names: Mapping[str, Mapping[str, str]]
    shapes: Mapping[str, Shapes]

    @classmethod
    def understand(cls, header: Header) -> BaseFile:
        """What the header's file is. ModelFileError where it is no supported checkpoint."""
        shapes = header.shapes
        return cls(header, inspect(header), component_names(shapes), component_shapes(shapes))

    @property
    def title(self) -> str:
        """What people call the file."""
        return self.header.path.name

    def elements(self, component: str) -> int:
        """How many numbers the component's tensors hold together."""
        return sum(math.prod(shape) for shape in self.shapes[component].values())

    def check(self, family: str, component: str) -> None:
        """ModelFileError where the file is of another family or lacks the component."""
        if family != self.checkpoint.family:
            raise ModelFileError(
                f"{self.header.path} is not of the family that the workflow expects",
                code="model_family_unsupported",
                expected=family,
                found=self.checkpoint.family,
            )
        self.checkpoint.require(component, self.header)
