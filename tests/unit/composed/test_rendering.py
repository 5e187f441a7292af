"""Lines into a budget: what holds for every set of sections."""

from hypothesis import given
from hypothesis import strategies as st

from pinak_ray.composed.rendering import Section, render
from pinak_ray.records.memory.context import estimate_tokens

# A few texts, so that some are the same; sizes from nothing to several budgets.
LINES = st.lists(
    st.builds(lambda word, times: word * times, st.sampled_from("abc"), st.integers(1, 300)),
    max_size=12,
)
SECTIONS = st.lists(
    st.builds(Section, st.sampled_from(["x", "y"]), st.integers(1, 60), LINES, st.integers(0, 900)),
    max_size=4,
)
BUDGETS = st.integers(1, 400)


def lines_of(text: str) -> list[str]:
    """Return the lines of a context; no text has none."""
    return text.split("\n") if text else []


@given(SECTIONS, BUDGETS)
def test_a_context_is_never_over_budget(sections: list[Section], budget: int) -> None:
    """The tokens that it says it has are at least those of its text, and within the budget."""
    context = render(sections, budget)

    assert estimate_tokens(context.text) <= context.tokens <= budget
    assert context.tokens == sum(estimate_tokens(line + "\n") for line in lines_of(context.text))


@given(SECTIONS, BUDGETS)
def test_nothing_is_said_twice_or_cut(sections: list[Section], budget: int) -> None:
    """Each line is one that was given, whole, and no other is like it."""
    lines = lines_of(render(sections, budget).text)

    assert len(set(lines)) == len(lines)
    assert set(lines) <= {line for section in sections for line in section.lines}


@given(SECTIONS, BUDGETS)
def test_lines_keep_their_order(sections: list[Section], budget: int) -> None:
    """Section by section, as their lines were given: the budget decides what, not where."""
    given_lines = list(dict.fromkeys(line for section in sections for line in section.lines))
    places = [given_lines.index(line) for line in lines_of(render(sections, budget).text)]

    assert places == sorted(places)


@given(SECTIONS, BUDGETS, BUDGETS)
def test_more_budget_shows_the_same_and_more(
    sections: list[Section], budget: int, more: int
) -> None:
    """No line of a smaller budget is missing in a larger one."""
    small, large = render(sections, budget), render(sections, budget + more)

    assert set(lines_of(small.text)) <= set(lines_of(large.text))


@given(SECTIONS, BUDGETS)
def test_the_counts_add_up(sections: list[Section], budget: int) -> None:
    """Shown and omitted are all there are; what was saved is of what could have been shown."""
    context = render(sections, budget)
    different = {line for section in sections for line in section.lines}

    assert context.items == len(lines_of(context.text)) == sum(s.items for s in context.sections)
    assert context.items + context.omitted == len(different)
    assert context.omitted == sum(section.omitted for section in context.sections)
    assert context.tokens == sum(section.tokens for section in context.sections)
    assert context.eligible_tokens == sum(s.eligible_tokens for s in context.sections)
    assert all(s.tokens <= s.eligible_tokens for s in context.sections)
    assert 0 <= context.saving <= 1
    assert context.saving == (
        round(1 - context.tokens / context.eligible_tokens, 4) if context.eligible_tokens else 0
    )


def test_shares_hold_where_all_want_more() -> None:
    """Two sections with more than enough to say are shown as their shares are."""
    one, other = (Section(name, share, [f"{name}{n:07}" for n in range(99)])
                  for name, share in (("x", 1), ("y", 3)))  # fmt: skip

    assert [s.items for s in render([one, other], 120).sections] == [10, 30]


def test_an_unused_share_is_handed_on() -> None:
    """What one section has no lines for is there for the others."""
    short = Section("short", 90, ["x"])
    long = Section("long", 10, [f"{n:03}" for n in range(99)])

    assert [section.items for section in render([short, long], 50).sections] == [1, 49]


def test_a_long_line_does_not_keep_out_the_short_ones_after_it() -> None:
    """They are shown in its place, and it is shown once there is room for it."""
    notes = Section("notes", 1, ["new", "long " * 80, "old"])

    assert render([notes], 10).text == "new\nold"
    assert render([notes], 110).items == 3


def test_a_line_is_not_kept_waiting_by_shorter_ones_for_long() -> None:
    """The most wanted line is shown though many shorter ones would have fit instead of it."""
    wanted = "w" * 99
    memories = Section("memories", 1, [wanted, *(f"{n:039}" for n in range(20))])

    assert render([memories], 60).text.split("\n")[0] == wanted


def test_nothing_to_say_saves_nothing() -> None:
    """Without lines the context is empty, and no division fails."""
    context = render([Section("x", 1, [])], 10)

    assert (context.text, context.tokens, context.items, context.saving) == ("", 0, 0, 0.0)
