"""Anthropic's Messages API. Source: the types of its official Python client, 2.14."""
