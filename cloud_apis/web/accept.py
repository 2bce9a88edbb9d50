"""Choosing the form of an answer by the Accept header (RFC 9110, section 12.5.1)."""

from __future__ import annotations


def prefers_jpeg(accept: str) -> bool:
    """Whether a client wants image/jpeg rather than application/json; JSON where it does not care."""
    return _quality(accept, "image", "jpeg") > _quality(accept, "application", "json")


def _quality(accept: str, kind: str, subtype: str) -> float:
    """The quality that the header gives a media type, by its most specific range that matches."""
    best = (-1, 0.0)
    for entry in accept.lower().split(","):
        media, *parameters = (part.strip() for part in entry.split(";"))
        specificity = {f"{kind}/{subtype}": 2, f"{kind}/*": 1, "*/*": 0}.get(media)
        if specificity is not None and specificity > best[0]:
            best = (specificity, _weight(parameters))
    return best[1]


def _weight(parameters: list[str]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                return float(value)
            except ValueError:
                return 0.0
    return 1.0
