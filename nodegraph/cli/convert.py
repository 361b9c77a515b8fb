"""`nodegraph models convert`: pickles become safetensors, by the consent of whoever types it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

MODULE = "nodegraph.diffusion.pickles"


def convert_models(files: Sequence[Path]) -> None:
    """Convert them in a process of its own: this one imports no torch. Exit code 1 if one cannot be."""
    done = subprocess.run([sys.executable, "-m", MODULE, *map(str, files)], check=False)  # noqa: S603 - ours
    raise SystemExit(done.returncode)
