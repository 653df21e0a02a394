"""The contract: an OpenAPI 3.2 document of the part of the OpenAI HTTP API that gonogo judges."""

from gonogo_contract.source import component_schema, document, request_components, text

__all__ = ["component_schema", "document", "request_components", "text"]
