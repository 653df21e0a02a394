"""A provider that forwards to one or several other servers over HTTP and repairs their answers."""
