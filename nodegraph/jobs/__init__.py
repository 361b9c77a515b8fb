"""The durable queue: jobs, their history, events and artifacts in SQLite."""
