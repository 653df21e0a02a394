"""A provider that is another server, or several that serve the same: asked over HTTP, its answers repaired."""
