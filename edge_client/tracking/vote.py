"""Votes several reads of one plate into one text, character by character."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from edge_client.tracking.text import align

_SUREST = 0.01  # chance to be wrong that even the surest character keeps
_OVERLOOKED = 2  # characters
_PART = 0.8
_OTHER_LENGTH = 0.5
"""How much a character counts that was found by alignment in a read of another length."""


@dataclass(frozen=True, slots=True)
class Ballot:
    """One read: its text, the confidence of each character in 0..1, and how much the read counts.

    ``plate_confidence`` is the chance that all of it is right, where the recogniser tells it (else 0).
    """

    text: str
    confidences: tuple[float, ...]
    weight: float = 1.0
    plate_confidence: float = 0.0


@dataclass(frozen=True, slots=True)
class Vote:
    """The voted text with a confidence per character in 0..1; ``support`` reads said exactly this.

    ``plate_confidence`` is the best chance to be right that one of those reads had by itself.
    """

    text: str
    confidences: tuple[float, ...]
    support: int
    plate_confidence: float = 0.0

    @property
    def confidence(self) -> float:
        """The least confidence over the characters; 0 for an empty text."""
        return min(self.confidences, default=0.0)


EMPTY = Vote("", (), 0)


def vote(ballots: Sequence[Ballot]) -> Vote:
    """The most likely text of one plate.

    First the length is voted, each read counting by its least and mean confidence; then each place's
    character by the evidence for it (see `_evidence`). Reads of another length take part where they align. A
    character's confidence is the best one it was read with, times its share of the votes at its place.
    """
    ballots = [b for b in ballots if b.text]
    if not ballots:
        return EMPTY
    length = _vote_length(ballots)
    reference = max((b for b in ballots if len(b.text) == length), key=_trust)
    votes: list[dict[str, float]] = [{} for _ in range(length)]
    best: list[dict[str, float]] = [{} for _ in range(length)]
    for b in ballots:
        same = len(b.text) == length
        places = range(length) if same else align(reference.text, b.text)
        for place, character, confidence in zip(places, b.text, b.confidences, strict=True):
            if place is None:
                continue
            gain = b.weight * _evidence(confidence) * (1.0 if same else _OTHER_LENGTH)
            votes[place][character] = votes[place].get(character, 0.0) + gain
            best[place][character] = max(best[place].get(character, 0.0), confidence)
    text, confidences = [], []
    for place in range(length):
        total = sum(votes[place].values())
        winner = max(votes[place], key=lambda c: (votes[place][c], c))
        text.append(winner)
        confidences.append(best[place][winner] * votes[place][winner] / total if total > 0 else 0.0)
    joined = "".join(text)
    agreeing = [b for b in ballots if b.text == joined]
    alone = max((b.plate_confidence for b in agreeing), default=0.0)
    return Vote(joined, tuple(confidences), len(agreeing), alone)


def _evidence(confidence: float) -> float:
    """The information in a character's confidence: -ln of its chance to be wrong, in nats, at most 4.6.

    Wrong characters are mostly doubtful ones: one at 0.99 outweighs two at 0.8, as it should.
    """
    return -math.log(max(1.0 - confidence, _SUREST))


def _vote_length(ballots: Sequence[Ballot]) -> int:
    """The length that most trust speaks for. A read that is a part of a longer one speaks for that as well.

    Characters at the rim of a plate are overlooked far more often than they are invented.
    """
    trusts: dict[str, float] = {}
    for b in ballots:
        trusts[b.text] = trusts.get(b.text, 0.0) + _trust(b)
    lengths: dict[int, float] = {}
    for text, trust in trusts.items():
        lengths[len(text)] = lengths.get(len(text), 0.0) + trust
        longer = {len(t) for t in trusts if text in t and 0 < len(t) - len(text) <= _OVERLOOKED}
        for length in longer:
            lengths[length] = lengths.get(length, 0.0) + _PART * trust
    return max(lengths, key=lambda n: (lengths[n], n))


def _trust(ballot: Ballot) -> float:
    confidences = ballot.confidences
    return ballot.weight * min(confidences) * sum(confidences) / len(confidences)
