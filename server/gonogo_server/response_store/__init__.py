"""Stored responses: retrieved, continued and deleted with the API key that made them."""
