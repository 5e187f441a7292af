"""Copies: a list of contents is walked without repeats, whatever the pages and the copies."""

from hypothesis import given
from hypothesis import strategies as st

from pinak_ray.recall.copies import distinct_lists, walk_distinct


@given(st.lists(st.integers(0, 12), max_size=60), st.integers(1, 7))
def test_a_walk_has_each_content_once(contents: list[int], k: int) -> None:
    """Pages together are the contents in the order of their first places, full but for the last."""
    ids, content_of = list(range(len(contents))), dict(enumerate(contents))
    walked, sizes, offset = [], [], 0
    while offset < len(ids):
        walk = walk_distinct(ids, content_of, offset, k)
        assert walk.ends > offset
        walked += [content_of[id_] for id_ in walk.ids]
        sizes.append(len(walk.ids))
        offset = walk.ends
    assert walked == list(dict.fromkeys(contents))
    assert all(size == k for size in sizes[:-1])


def test_of_equals_that_stand_together_the_last_is_shown() -> None:
    """A signal has equals in the order of their ids, so that the last is the newest."""
    walk = walk_distinct("abcdef", dict(zip("abcdef", "xxyyxz", strict=True)), 0, 2)
    assert (walk.ids, walk.places, walk.ends) == (["b", "d"], [1, 3], 5)


@given(st.lists(st.integers(0, 9), max_size=50), st.integers(1, 12))
def test_a_list_keeps_both_ends_of_each_content(contents: list[int], limit: int) -> None:
    """The first contents of a list, each with its first and its last place."""
    content_of = dict(enumerate(contents))
    kept = distinct_lists({"one": list(content_of)}, content_of, limit)["one"]
    first = list(dict.fromkeys(contents))[:limit]
    assert list(dict.fromkeys(content_of[at] for at in kept)) == first
    for content in first:
        places = [at for at, each in content_of.items() if each == content]
        assert [at for at in kept if content_of[at] == content] == sorted({places[0], places[-1]})
