"""An async client of the server, with typed results and events."""
