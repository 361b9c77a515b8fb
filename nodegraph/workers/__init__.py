"""Processes that run jobs, and the pool that starts and supervises them."""
