"""The refusals of the ideal target."""

from __future__ import annotations


class Refusal(Exception):  # noqa: N818 - an answer, not an error
    """A refused request: the status, and the fields of the error envelope."""

    def __init__(
        self, message: str, *, status: int = 400, param: str | None = None, code: str | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.envelope = {
            "error": {"message": message, "type": "invalid_request_error", "param": param, "code": code}
        }
