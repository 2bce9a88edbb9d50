"""Puts frames back in order: out comes what came in, in the same order, none later than its deadline.

A pure state machine without threads or a clock of its own; whoever drives it passes the time in.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(slots=True)
class _Slot(Generic[T]):
    item: T
    deadline_s: float
    complete: bool = False


class Reassembly(Generic[T]):
    """Items by ascending number, each released once it and all before it are complete or overdue."""

    def __init__(self) -> None:
        self._slots: OrderedDict[int, _Slot[T]] = OrderedDict()
        self._last_added = -1

    def __len__(self) -> int:
        return len(self._slots)

    def add(self, number: int, item: T, deadline_s: float) -> None:
        """Take an item in; numbers ascend, ``ValueError`` if this one does not."""
        if number <= self._last_added:
            raise ValueError(f"frame {number} came after frame {self._last_added}")
        self._last_added = number
        self._slots[number] = _Slot(item, deadline_s)

    def get(self, number: int) -> T | None:
        """The item while it waits; None once it was released, or when it never came."""
        slot = self._slots.get(number)
        return slot.item if slot is not None else None

    def complete(self, number: int) -> bool:
        """Mark an item as complete; False when it is no longer waiting (too late)."""
        slot = self._slots.get(number)
        if slot is None:
            return False
        slot.complete = True
        return True

    def oldest(self) -> T | None:
        """The item that waits for the longest time; None while nothing waits."""
        return next(iter(self._slots.values())).item if self._slots else None

    def release(self, now_s: float, places: int | None = None) -> list[T]:
        """Remove and return, in order, what may leave now.

        An overdue item leaves with all before it, complete or not, so that none waits behind a neighbour
        whose deadline lies later. When more than ``places`` items wait, the oldest leave as if overdue.
        """
        overdue = max((n for n, s in self._slots.items() if s.deadline_s <= now_s), default=-1)
        released = []
        while self._slots:
            number, slot = next(iter(self._slots.items()))
            crowded = places is not None and len(self._slots) > places
            if not slot.complete and number > overdue and not crowded:
                break
            del self._slots[number]
            released.append(slot.item)
        return released

    def next_deadline_s(self) -> float | None:
        """When the next item becomes overdue; None while nothing waits."""
        return min((slot.deadline_s for slot in self._slots.values()), default=None)
