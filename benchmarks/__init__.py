"""Benchmarks: ratios, counters and tables for people. No test measures time; these do."""

from __future__ import annotations


class NotMeasured(Exception):  # noqa: N818 - the machine is not what the benchmark is for; nothing went wrong
    """This machine lacks what a benchmark measures."""
