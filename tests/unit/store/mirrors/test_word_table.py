"""Words in a process: what a tsvector says, and BM25 over parts that are joined and replaced."""

import math
from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pinak_ray.store.mirrors.postings import Postings, occurrences
from pinak_ray.store.mirrors.rarity import AskedTerms
from pinak_ray.store.mirrors.word_table import WordTable

TERMS = ("lock", "table", "it's", r"c:\dir", "注文", "a'b''c", ":-)", "two words")
DOCUMENT = st.lists(st.sampled_from(TERMS), max_size=12)


def tsvector(terms: list[str]) -> str:
    """Return the text that PostgreSQL has for these terms in their order."""
    places: dict[str, list[int]] = {}
    for place, term in enumerate(terms, 1):
        places.setdefault(term, []).append(place)

    def quoted(term: str) -> str:
        return "'" + term.replace("\\", "\\\\").replace("'", "''") + "'"

    return " ".join(f"{quoted(t)}:{','.join(map(str, at))}" for t, at in sorted(places.items()))


def by_hand(documents: dict[int, list[str]], asked: list[str]) -> dict[int, float]:
    """Return BM25 of each document that shares a word, plainly."""
    lengths = {place: len(set(terms)) for place, terms in documents.items()}
    average = max(sum(lengths.values()) / len(documents), 1.0)
    scores = {}
    for place, terms in documents.items():
        counts, score = Counter(terms), 0.0
        for term in asked:
            df = sum(term in other for other in documents.values())
            idf = math.log(1 + (len(documents) - df + 0.5) / (df + 0.5))
            k = 1.2 * (0.6 + 0.4 * lengths[place] / average)
            score += idf * 2.2 * counts[term] / (counts[term] + k)
        if score:
            scores[place] = score
    return scores


@given(DOCUMENT)
def test_a_tsvector_is_read_as_it_was_written(terms: list[str]) -> None:
    """Quotes, backslashes, blanks and marks are part of a term; each occurrence counts."""
    assert dict(occurrences(tsvector(terms))) == Counter(terms)
    assert dict(occurrences("'a' 'b'")) == {"a": 1, "b": 1}  # without positions


@given(
    st.lists(st.lists(st.tuples(st.integers(0, 9), DOCUMENT), min_size=1, max_size=6), max_size=6),
    st.sets(st.integers(0, 9)),
    st.lists(st.sampled_from((*TERMS, "unknown")), unique=True, max_size=5),
)
def test_what_is_added_replaced_and_dropped_scores_as_by_hand(
    parts: list[list[tuple[int, list[str]]]], dropped: set[int], asked: list[str]
) -> None:
    """Whatever parts the rows came in, scores and choices are those of what is held now."""
    vocabulary: dict[str, int] = {}
    table = WordTable(vocabulary)
    held: dict[int, list[str]] = {}
    for part in parts:
        rows = dict(part)
        held |= rows
        texts = [tsvector(terms) for terms in rows.values()]
        table.add(np.array(list(rows), dtype=np.int32), Postings.of(texts, vocabulary))
    table.drop(np.array(sorted(dropped & held.keys()), dtype=np.int32))
    held = {place: terms for place, terms in held.items() if place not in dropped}

    found = table.find(asked)
    assert table.rows == len(held)
    assert found.documents == {
        term: sum(term in terms for terms in held.values()) for term in asked
    }
    scored = table.score(AskedTerms.of(found.documents, table.rows), found)
    ours = dict(
        zip(table.places_of(scored.chosen).tolist(), scored.scores[scored.chosen], strict=True)
    )
    expected = by_hand(held, asked) if held else {}
    assert ours.keys() == expected.keys()
    for place, score in expected.items():
        assert math.isclose(ours[place], score, rel_tol=1e-9)
    by_place = table.by_place(scored.scores, 10)
    assert {place for place in range(10) if not math.isnan(by_place[place])} == held.keys()


def test_the_rarest_terms_are_asked_for() -> None:
    """A rarer term weighs more; of a long text's terms the common ones tell nothing."""
    chosen = AskedTerms.of({"zebra": 10, "the": 900_000, "lock": 4_000}, 1_000_000)
    assert list(chosen.idf) == ["zebra", "lock", "the"]
    assert sorted(chosen.idf.values(), reverse=True) == list(chosen.idf.values())
    many = AskedTerms.of({f"term{n:02}": n + 1 for n in range(40)}, 1_000)
    assert list(many.idf) == [f"term{n:02}" for n in range(32)]
