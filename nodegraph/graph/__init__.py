"""The workflow document: reading, writing, checking and binding it to node types."""
