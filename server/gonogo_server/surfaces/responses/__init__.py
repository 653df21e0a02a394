"""The Responses API. Source: openai/openai-openapi, "/responses"; the Open Responses specification."""
