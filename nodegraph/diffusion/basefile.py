"""A checkpoint as the store knows it: its header read and understood once."""

from __future__ import annotations

import math
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from nodegraph.errors import ModelFileError
from nodegraph.modelfiles.families import FAMILIES, Checkpoint, Family, component_names, inspect
from nodegraph.modelfiles.manifests import read_model_header
from nodegraph.modelfiles.safetensors_header import Header
from nodegraph.modelfiles.shapes import Shapes
from nodegraph.modelfiles.sources import Sources, shapes_of
from nodegraph.runtime import Files
from nodegraph.values import ModelFile


@dataclass(frozen=True, slots=True)
class BaseFile:
    """A header with what follows from it.

    names: component -> (name in the network -> how the file makes it); shapes: component -> (name -> shape).
    """

    header: Header
    checkpoint: Checkpoint
    names: Mapping[str, Sources]
    shapes: Mapping[str, Shapes]

    @classmethod
    def understand(cls, header: Header, families: Sequence[Family] = FAMILIES) -> BaseFile:
        """What the header's file is. ModelFileError where it is no supported checkpoint."""
        shapes = header.shapes
        names = component_names(shapes, families)
        parts = {component: shapes_of(sources, shapes) for component, sources in names.items()}
        return cls(header, inspect(header, families), names, parts)

    @property
    def title(self) -> str:
        """What people call the file."""
        return self.header.path.name

    def sizes(self, component: str, item: int) -> Mapping[str, int]:
        """Bytes of each of the component's tensors by its name in the network, at `item` bytes a number."""
        return {name: item * math.prod(shape) for name, shape in self.shapes[component].items()}

    def check(self, family: str, component: str) -> None:
        """ModelFileError where the file is of another family or lacks the component."""
        if self.checkpoint.family not in ("", family):  # a file without a denoiser serves several
            raise ModelFileError(
                f"{self.header.path} is not of the family that the workflow expects",
                code="model_family_unsupported",
                expected=family,
                found=self.checkpoint.family,
            )
        self.checkpoint.require(component, self.header)


class KnownFiles:
    """The headers of model files, each read once, and what the files are. Thread-safe."""

    def __init__(self, files: Files, families: Sequence[Family]) -> None:
        self._files = files
        self._families = families
        self._lock = threading.Lock()
        self._headers: dict[str, Header] = {}
        self._bases: dict[str, BaseFile] = {}

    def header(self, file: ModelFile) -> Header:
        """The header of a file, wherever it lies now. ModelFileError: it is missing or damaged."""
        with self._lock:
            known = self._headers.get(file.hash)
        path = self._files.path(file)
        if known is not None and known.path == path:
            return known
        header = read_model_header(path)
        with self._lock:
            self._headers[file.hash] = header
        return header

    def base(self, file: ModelFile) -> BaseFile:
        """What the file holds. ModelFileError: it is missing, damaged or of no known family."""
        header = self.header(file)
        with self._lock:
            known = self._bases.get(file.hash)
        if known is not None and known.header is header:
            return known
        base = BaseFile.understand(header, self._families)
        with self._lock:
            self._bases[file.hash] = base
        return base
