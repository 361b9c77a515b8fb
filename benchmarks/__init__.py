"""Benchmarks: ratios, counters and tables for people. No test measures time; these do."""
