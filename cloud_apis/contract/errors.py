"""How an API says that it does not answer."""

from __future__ import annotations


def error_body(code: str, message: str) -> dict[str, object]:
    """The JSON body of every answer that is not a success."""
    return {"error": {"code": code, "message": message}}
