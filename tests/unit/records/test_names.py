"""Names have one form: what looks the same is the same, or is refused with its reason."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinak_ray.records.commands import checked_model
from pinak_ray.records.errors import InvalidInput
from pinak_ray.records.memory.memories import new_memory
from pinak_ray.records.memory.recall import new_filters
from pinak_ray.records.names import (
    MAX_NAME_BYTES,
    check_item_key,
    check_labels,
    check_name,
    check_prefix,
    repaired,
)
from pinak_ray.records.scratchpad.entities import Mention
from pinak_ray.testing import LocalSwarm


@pytest.mark.parametrize(
    ("name", "normal"),
    [
        ("deployer", "deployer"),
        ("plan/step 1 #2", "plan/step 1 #2"),
        ("Ame\u0301lie", "Amélie"),
        ("o\u0308sterreich", "österreich"),
        ("\u1112\u1161\u11ab", "한"),
        ("Ｂｏｔ－７", "Bot-7"),
        ("ｻｰﾊﾞ", "サーバ"),
        ("\ufb02ow", "flow"),
        ("\u212bngstr\u00f6m", "Ångström"),
        ("a\u00a0b", "a b"),
        ("❤\ufe0f", "❤"),
        ("نمی\u200cشود", "نمی\u200cشود"),
        ("क्\u200dष", "क्\u200dष"),
        ("👩\u200d🔧", "👩\u200d🔧"),
        ("👩🏽\u200d🚀", "👩🏽\u200d🚀"),
        ("e\u0301" * 128, "é" * 128),
    ],
)
def test_a_name_comes_back_in_its_normal_form(name: str, normal: str) -> None:
    """Composed, of ordinary width, and with its joiners where they show."""
    assert check_name("agent", name) == normal
    assert check_name("agent", normal) == normal


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("", "agent is empty"),
        ("\u3000", "agent is empty"),
        ("ops ", "agent ends with U[+]0020 .SPACE., a blank"),
        ("\u00a0ops", "agent begins with U[+]00A0"),
        ("ops\r\n", "agent ends with U[+]000A"),
        ("ops\n", "agent ends with U[+]000A"),
        ("a\tb", "agent holds U[+]0009 .* as its character 2"),
        ("a\x1b[2J", "U[+]001B"),
        ("a\x00b", "U[+]0000"),
        ("a\x7fb", "U[+]007F"),
        ("a\x9bb", "U[+]009B"),
        ("op\u200bs", "U[+]200B .ZERO WIDTH SPACE. as its character 3"),
        ("ops\u2060", "U[+]2060"),
        ("\ufeffops", "U[+]FEFF"),
        ("o\u00adps", "U[+]00AD .SOFT HYPHEN."),
        ("\u202eops", "U[+]202E"),
        ("o\u2066ps", "U[+]2066"),
        ("o\u2028ps", "U[+]2028"),
        ("o\u2029ps", "U[+]2029"),
        ("o\u180eps", "U[+]180E"),
        ("o\u3164ps", "U[+]1160 .HANGUL JUNGSEONG FILLER."),
        ("o\u034fps", "U[+]034F"),
        ("o\u2800ps", "U[+]2800"),
        ("o\U000e0041ps", "U[+]E0041"),
        ("ops\ud800", "U[+]D800"),
        ("ops\u0378", "U[+]0378"),
        ("ops\uffff", "U[+]FFFF"),
        ("ops\ue000", "U[+]E000"),
        ("lead\u200cer", "U[+]200C"),
        ("lead\u200der", "U[+]200D"),
        ("می\u200c", "U[+]200C"),
        ("\u200d👩", "U[+]200D"),
        ("é" * 129, "agent has 258 bytes, the limit is 256"),
        ("\ufdfa" * 30, "agent has .* bytes"),
        ("x" * 100_000, "agent has 100000 bytes"),
    ],
)
def test_what_cannot_be_told_apart_is_refused(name: str, reason: str) -> None:
    """Blanks at the ends and what nobody sees are refused, by their code point and place."""
    with pytest.raises(InvalidInput, match=reason) as refused:
        check_name("agent", name)
    assert str(refused.value).isascii()


@given(st.text(max_size=40))
def test_the_normal_form_is_its_own(name: str) -> None:
    """A name that is taken is visible, short, in NFKC, and taken again unchanged."""
    try:
        normal = check_name("agent", name)
    except InvalidInput:
        return
    assert check_name("agent", normal) == normal == unicodedata.normalize("NFKC", normal)
    assert normal == normal.strip()
    assert 0 < len(normal.encode()) <= MAX_NAME_BYTES


@given(st.text(min_size=1, max_size=300))
def test_any_stored_name_has_a_form_that_can_be_asked_for(name: str) -> None:
    """Whatever was stored as a name, its repaired form is one; a good name's is its normal form."""
    assert check_name("agent", repaired(name)) == repaired(name)
    try:
        normal = check_name("agent", name)
    except InvalidInput:
        return
    assert repaired(name) == normal


@pytest.mark.parametrize(
    ("stored", "form"),
    [
        ("lead ", "lead"),
        ("le\u200bad\n", "lead"),
        ("ｌｅａｄ", "lead"),
        ("e\u200b\u0301", "é"),
        ("می\u200b\u200c", "می"),
        ("\u200b", "U+200B"),
        ("\ufdfa" * 80, check_name("x", "\ufdfa" * 7)[:1]),
    ],
)
def test_a_stored_name_is_repaired(stored: str, form: str) -> None:
    """What is refused is left out; of what nobody sees the code points stay."""
    assert repaired(stored).startswith(form)


def test_labels_are_counted_in_their_normal_form() -> None:
    """Two spellings of one tag are one."""
    assert check_labels("tags", ["cafe\u0301", "café", "ｃ"]) == ("café", "c")


def test_a_prefix_may_end_in_a_blank() -> None:
    """The beginning of a name is not a name: `step ` begins `step 1`."""
    assert check_prefix("prefix", "step ") == "step "
    assert check_prefix("prefix", "e\u0301") == "é"
    with pytest.raises(InvalidInput, match="prefix"):
        check_prefix("prefix", "ste\u200bp")


def test_a_key_of_ours_is_refused_in_any_width() -> None:
    """A wide dollar sign is one."""
    with pytest.raises(InvalidInput, match=r"start with \$"):
        check_item_key("＄intent")


def test_every_kind_of_name_is_normal() -> None:
    """Agents, sessions, labels, filters, entities and idempotency keys share the form."""
    wide, plain = (
        new_memory(1, name, "x", session=name, tags=[name], entities=[name], idempotency_key=name)
        for name in ("Ｊｏｓｅ\u0301", "José")
    )
    same = {"id": plain.id, "created_at": plain.created_at, "occurred_at": plain.occurred_at}

    assert wide._replace(**same) == plain
    assert new_filters(agents=["Ｊｏｓｅ\u0301"], no_tags=["ｔ"]) == new_filters(
        agents=["José"], no_tags=["t"]
    )
    mention = checked_model(Mention, name="ｏrders", states={"ｈealth": "ｏk"}, aliases=["ａ"])
    assert (mention.name, mention.states, mention.aliases) == ("orders", {"health": "ok"}, ("a",))


async def test_the_twin_knows_one_thing_by_its_names() -> None:
    """In the twin too, whichever form a name is given in, it is one agent, board, key and tag."""
    async with LocalSwarm("Ａcme", "cafe\u0301") as swarm:
        await swarm.agent("Ａmélie").note("ｋ", 1)
        await swarm.agent("a").remember("x", tags=["ｔ"], session="e\u0301")
        await swarm.board("ｂ").post("x", author="ａ")

        assert await swarm.agent("Ame\u0301lie").recollect("k")
        found = await swarm.agent("a").recall(recipe="recent", tags=["t"], sessions=["é"])
        assert len(found.hits) == 1
        assert [entry.author for entry in await swarm.board("b").read()] == ["a"]
        with pytest.raises(InvalidInput, match="agent ends with"):
            swarm.agent("a ")
