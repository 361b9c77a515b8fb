"""What travels over HTTP, as pydantic models: the server validates by them, clients read by them."""
