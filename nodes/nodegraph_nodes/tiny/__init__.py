"""The embedded tiny model: its scene grammar, trainer, exporter and scorer. Importing this package loads no torch."""
