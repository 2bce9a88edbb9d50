from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from edge_client.tracking.vote import EMPTY, Ballot, vote


def ballot(text: str, confidence: float = 0.9, weight: float = 1.0) -> Ballot:
    return Ballot(text, (confidence,) * len(text), weight)


def test_of_nothing_is_empty() -> None:
    assert vote([]) == EMPTY
    assert vote([Ballot("", ())]) == EMPTY
    assert EMPTY.confidence == 0.0


def test_a_single_read_keeps_its_confidences() -> None:
    result = vote([Ballot("AB1", (0.9, 0.5, 0.7))])
    assert (result.text, result.confidences, result.support) == ("AB1", (0.9, 0.5, 0.7), 1)
    assert result.confidence == 0.5


def test_each_character_is_voted_on_its_own() -> None:
    reads = [
        Ballot("X2CD", (0.3, 0.9, 0.9, 0.9)),
        Ballot("A2CX", (0.9, 0.9, 0.9, 0.3)),
        Ballot("AZCD", (0.9, 0.3, 0.9, 0.9)),
    ]
    result = vote(reads)
    assert result.text == "A2CD"
    assert result.support == 0


def test_one_confident_read_outvotes_two_doubtful_ones() -> None:
    assert vote([ballot("AB12", 0.95), ballot("AB17", 0.4), ballot("AB17", 0.4)]).text == "AB12"


def test_sure_characters_count_more_than_many_doubtful_ones() -> None:
    assert vote([ballot("AB1T", 0.99), ballot("AB1I", 0.8), ballot("AB1I", 0.8)]).text == "AB1T"


def test_the_length_is_voted_first_and_other_lengths_still_help() -> None:
    reads = [Ballot("AB123", (0.9, 0.9, 0.9, 0.9, 0.4)), ballot("AB128"), ballot("B128", 0.95)]
    assert vote(reads).text == "AB128"


def test_a_part_of_a_longer_read_speaks_for_the_longer_one_too() -> None:
    assert vote([ballot("F82EVA", 0.95), ballot("F82EVA", 0.95), ballot("IF82EVA", 0.8)]).text == "IF82EVA"
    assert vote([ballot("F82EVA", 0.95)] * 5 + [ballot("IF82EVA", 0.5)]).text == "F82EVA"


def test_doubt_lowers_the_confidence() -> None:
    agreed = vote([ballot("AB12"), ballot("AB12")])
    doubtful = vote([ballot("AB12"), ballot("AB12"), ballot("AB17", 0.8)])
    assert agreed.confidence == 0.9
    assert 0.5 < doubtful.confidence < 0.9


READS = st.lists(
    st.text("AB018", min_size=1, max_size=6).flatmap(
        lambda text: st.builds(
            Ballot,
            st.just(text),
            st.lists(st.floats(0.01, 1.0), min_size=len(text), max_size=len(text)).map(tuple),
            st.floats(0.1, 5.0),
        )
    ),
    min_size=1,
    max_size=8,
)


@given(READS)
def test_the_vote_is_well_formed(reads: list[Ballot]) -> None:
    result = vote(reads)
    assert len(result.text) == len(result.confidences)
    assert len(result.text) in {len(b.text) for b in reads}
    assert all(0.0 <= c <= 1.0 for c in result.confidences)
    assert result.support <= len(reads)
    assert vote([*reads, *reads]).text == result.text


@given(READS)
def test_the_order_of_reads_does_not_matter_for_equal_lengths(reads: list[Ballot]) -> None:
    same = [b for b in reads if len(b.text) == len(reads[0].text)]
    assert vote(same).text == vote(same[::-1]).text
