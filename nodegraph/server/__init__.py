"""The HTTP server: routes, events, login, and the built editor. Nothing in it imports torch."""
