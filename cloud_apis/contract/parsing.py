"""Strict parsing of decoded JSON: what is not exactly of the promised form is never passed on half understood."""

from __future__ import annotations

import math


class ContractError(ValueError):
    """An answer that does not follow the contract; the message names the place and what was expected."""


def field(obj: object, name: str) -> object:
    """A field of an object; raises `ContractError`."""
    if not isinstance(obj, dict) or name not in obj:
        raise ContractError(f"the answer is not an object with a field {name!r}")
    return obj[name]


def items(obj: object, where: str, length: int | None = None) -> list[object]:
    """The elements of a list, of which there must be `length` if that is given; raises `ContractError`."""
    if not isinstance(obj, list):
        raise ContractError(f"{where} is not a list")
    if length is not None and len(obj) != length:
        raise ContractError(f"{where} has {len(obj)} elements instead of {length}")
    return obj


def number(obj: object, where: str) -> float:
    """A finite number; raises `ContractError`."""
    if isinstance(obj, bool) or not isinstance(obj, int | float):
        raise ContractError(f"{where} holds something that is not a number")
    try:
        value = float(obj)
    except OverflowError as error:
        raise ContractError(f"{where} holds a number beyond all bounds") from error
    if not math.isfinite(value):
        raise ContractError(f"{where} holds a number that is not finite")
    return value


def probability(obj: object, where: str) -> float:
    """A number from 0 to 1; raises `ContractError`."""
    value = number(obj, where)
    if not 0.0 <= value <= 1.0:
        raise ContractError(f"{where} holds a score outside 0..1")
    return value
