"""The embedded tiny model: scenes, trainer, exporter and scorer. Importing this package loads no torch."""
