"""Planning, keys, cache and the executor: a pure plan in, typed events out."""
