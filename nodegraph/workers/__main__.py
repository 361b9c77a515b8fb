"""`python -m nodegraph.workers DESCRIPTOR SETTINGS`: started by the pool, never by people."""

from __future__ import annotations

import sys

import msgspec

from nodegraph.workers.process import main
from nodegraph.workers.settings import WorkerSettings

if __name__ == "__main__":
    main(int(sys.argv[1]), msgspec.json.decode(sys.argv[2], type=WorkerSettings))
