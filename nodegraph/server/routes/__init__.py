"""The API, part by part. A handler's signature is its whole declaration (`nodegraph.server.routing`)."""
