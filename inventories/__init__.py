"""What exists behind an endpoint: asked of the endpoint itself, and drafted as a target file."""
