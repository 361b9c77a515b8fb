"""The system's Chromium without a window: where it is, and how the tests and the benchmarks start it."""

from __future__ import annotations

import shutil

NAMES = ("chromium", "chromium-browser", "google-chrome")
SHELL = "chromium-headless-shell"
"""Chromium's engine without the windows, menus and profiles that nobody sees: for tests, not for figures."""
QUIET = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
"""Nothing that it does is for anybody else: it asks no address but the server's."""


def installed() -> str | None:
    """The path of the first Chromium that is there."""
    return next(filter(None, map(shutil.which, NAMES)), None)


def smallest() -> str | None:
    """The path of the headless shell, or of the first Chromium that is there."""
    return shutil.which(SHELL) or installed()
