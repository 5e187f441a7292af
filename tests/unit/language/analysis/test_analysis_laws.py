"""Laws of the analyser, tried on drawn texts."""

import re
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pinak_ray.language.analysis import MAX_TERM, phrase, terms
from pinak_ray.language.analysis.folding import folded, literal
from pinak_ray.language.analysis.scripts import WORD

SIGNS = st.sampled_from(
    "aabcdeEFgGHIsT_0019 .-/:@#+'\"(,=\\日本語のカー게임을책здравЖñéßοςΣ"
    "วันมีकिताबعلم🦜€²ﬁＡ\u200b\u0301\u00a0"
)
WORDS = st.sampled_from([
    "the", "is", "getUserById", "OPENAI_API_KEY", "v2.3.1", "URLs", "runs", "10mW", "Straße",
    "障害", "게임을", "in", "9f86d081884c7d65", "HTTPServer", "-rf", "C++", "foo.cpp:212", "a_b",
    "резервные",
])  # fmt: skip
TEXTS = st.one_of(
    st.text(SIGNS, max_size=60),
    st.lists(
        st.tuples(WORDS, st.sampled_from([" ", "/", ".", "-", "", "_", ", "])), max_size=12
    ).map(lambda each: "".join(word + joint for word, joint in each)),
)


@given(TEXTS, st.data())
@example("kubectl -n prod rollout undo deploy/orders --to-revision=41", None)
def test_what_holds_a_run_of_words_has_the_terms_of_its_phrase(
    text: str, data: st.DataObject | None
) -> None:
    """What narrows the search of `exact` leaves out no text that holds the literal, in any case."""
    held, text = set(terms(text)), folded(text)
    words = [found.span() for found in re.finditer(f"[{WORD}]+", text)]
    spans = [(one[0], other[1]) for at, one in enumerate(words) for other in words[at:]]
    if not spans:
        return
    for start, end in spans if data is None else [data.draw(st.sampled_from(spans))]:
        for asked in (text[start:end], text[start:end].upper(), text[start:end].lower()):
            if literal(asked) not in literal(text):
                continue  # ß and its like: upper case has other signs
            assert phrase(asked).may_be_in(held), (text, asked, phrase(asked))


PARTS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")


@given(
    st.lists(
        st.sampled_from(["get", "User", "By", "Id", "HTTP", "Config", "at"]), min_size=3, max_size=7
    )
)
def test_parts_of_identifiers_have_the_terms_of_their_phrase(names: list[str]) -> None:
    """From one border of a part to another one; four letters are one part."""
    text = "".join(names)
    borders = sorted({at for found in PARTS.finditer(text) for at in found.span()})
    for start in borders:
        for end in borders:
            if start < end:
                assert phrase(text[start:end]).may_be_in(set(terms(f"x {text}()"))), text[start:end]


@given(TEXTS)
def test_one_text_has_one_form(text: str) -> None:
    """Composed or not, it has the same terms; and these are of bounded length and hold no blank."""
    found = terms(unicodedata.normalize("NFC", text))
    assert found == terms(unicodedata.normalize("NFD", text))
    assert all(term and len(term) <= MAX_TERM and not set(term) & set(" \t\n\0") for term in found)


@given(st.lists(TEXTS, max_size=4))
def test_a_blank_parts_terms(texts: list[str]) -> None:
    """The terms of texts side by side are those of each: nothing looks beyond a blank."""
    said = [text for text in texts if not all(word in "the is in" for word in text.split())]
    together = terms(" ".join(said))
    assert set(together) == {term for text in said for term in terms(text)} or any(
        not terms(f"{text} cat")[:-1] for text in said
    )


@pytest.mark.parametrize(
    "sign", ["a_", "a-", "a.", ".", "1,", "1:", "aB", "='", "게", "订", "ạ", "🇩", "\u0301", "@a"]
)
def test_a_long_run_takes_as_long_as_it_is(sign: str) -> None:
    """Each pattern walks a run once: it makes of each sign a few terms at most."""
    text = sign * ((1 << 16) // len(sign))
    assert len(terms(text)) <= 2 * len(text)
