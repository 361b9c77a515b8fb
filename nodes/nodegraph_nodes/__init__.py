"""The built-in pack: nodes, samplers, schedulers, devices and models, through the door that every pack uses."""
