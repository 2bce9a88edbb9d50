"""Facts about one model of a car, as the catalogue has them and as the APIs answer them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Generic, TypeVar

T = TypeVar("T")
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Span:
    """From ``low`` to ``high``, both included; None on a side: no source names an end."""

    low: int | None
    high: int | None

    def with_(self, other: Span) -> Span:
        """The span from the lower to the higher end of the two; a side that is open in one of them stays open."""
        lows, highs = (self.low, other.low), (self.high, other.high)
        low = None if None in lows else min(v for v in lows if v is not None)
        high = None if None in highs else max(v for v in highs if v is not None)
        return Span(low, high)


@dataclass(frozen=True, slots=True)
class Sourced(Generic[T]):
    """A value with the places where it stands, and what each of them speaks of ("US, model year 1993")."""

    value: T
    sources: tuple[str, ...]
    scopes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Price:
    """What a new car cost: low and high in whole units of an ISO 4217 currency, at a date (year, month or day)."""

    low: int
    high: int
    currency: str
    date: str
    scope: str
    source: str


@dataclass(frozen=True, slots=True)
class Facts:
    """All that the catalogue knows of a model; None, or no prices, where nothing is known.

    A span of several sources reaches from the least to the greatest of what they name, so that it may cover
    generations and markets that the scopes name; it never says more than its sources.
    """

    make: str
    model: str
    body_types: Sourced[tuple[str, ...]] | None = None
    seats: Sourced[Span] | None = None
    engine_power_kw: Sourced[Span] | None = None
    fuels: Sourced[tuple[str, ...]] | None = None
    gearboxes: Sourced[tuple[str, ...]] | None = None
    years: Sourced[Span] | None = None
    prices: tuple[Price, ...] = ()

    def to_json(self) -> Json:
        """The facts as the APIs answer them, unknown ones as null.

        ``{"make", "model", "body_types": {"value": [...], "sources": [...], "scopes": [...]}, "seats": {"value":
        {"low", "high"}, ...}, "engine_power_kw", "fuels", "gearboxes", "years", "prices": [{"low", "high",
        "currency", "date", "scope", "source"}]}``
        """
        return {
            "make": self.make,
            "model": self.model,
            "body_types": _listed(self.body_types),
            "seats": _spanned(self.seats),
            "engine_power_kw": _spanned(self.engine_power_kw),
            "fuels": _listed(self.fuels),
            "gearboxes": _listed(self.gearboxes),
            "years": _spanned(self.years),
            "prices": [
                {
                    "low": p.low,
                    "high": p.high,
                    "currency": p.currency,
                    "date": p.date,
                    "scope": p.scope,
                    "source": p.source,
                }
                for p in self.prices
            ]
            or None,
        }


def _listed(fact: Sourced[tuple[str, ...]] | None) -> Json | None:
    return None if fact is None else _with_sources(list(fact.value), fact)


def _spanned(fact: Sourced[Span] | None) -> Json | None:
    return None if fact is None else _with_sources({"low": fact.value.low, "high": fact.value.high}, fact)


def _with_sources(value: object, fact: Sourced[Any]) -> Json:
    return {"value": value, "sources": list(fact.sources), "scopes": list(fact.scopes)}
