"""Thought templates without their values: the same texts give the same template, always."""

from hypothesis import given
from hypothesis import strategies as st

from pinak_ray.language.abstraction import Abstracted, abstracted, alike

TEXTS = st.lists(st.text(max_size=60), max_size=6)


def test_values_become_slots_and_words_stay() -> None:
    """Numbers, ids, paths, URLs, quoted texts and names are values; verbs and nouns are not."""
    plan = abstracted(
        "Deploy Billing to production-2",
        [
            "read /etc/app/config.yml, then deploy/app.yaml",
            'run kubectl apply with "--wait now"',
            "wait 30s and check https://shop.example/health?a=1.",
            "find 550e8400-e29b-41d4-a716-446655440000 in Berlin",
            "The API is fine. Then stop",
        ],
    )

    assert plan.problem == "Deploy {name_1} to {name_2}"
    assert plan.steps == (
        "read {path_1}, then {path_2}",
        "run kubectl apply with {text_1}",
        "wait {number_1} and check {url_1}.",
        "find {id_1} in {name_3}",
        "The API is fine. Then stop",
    )
    assert plan.slots["path_1"] == "/etc/app/config.yml"


def test_one_value_has_one_slot_wherever_it_stands() -> None:
    """What is the same in two steps stays the same; what differs stays different."""
    plan = abstracted("restart web-3", ["drain web-3", "drain web-4"])

    assert plan == Abstracted(
        "restart {name_1}",
        ("drain {name_1}", "drain {name_2}"),
        {"name_1": "web-3", "name_2": "web-4"},
    )


def test_names_that_are_known_are_values_though_they_look_like_words() -> None:
    """The longest name wins, and a name within a word is none."""
    plan = abstracted("restart orders", ["stop orders db", "reorders"], ["orders", "orders db"])

    assert plan.steps == ("stop {name_2}", "reorders")


@given(st.text(max_size=60), TEXTS, st.lists(st.text(max_size=8), max_size=3))
def test_nothing_is_lost(problem: str, steps: list[str], names: list[str]) -> None:
    """With its values put back a template is the text that it was made from."""

    def filled(text: str, plan: Abstracted) -> str:
        for slot, value in sorted(plan.slots.items(), key=lambda each: -len(each[0])):
            text = text.replace(f"{{{slot}}}", value)
        return text

    texts = [text.replace("{", "").replace("}", "") for text in (problem, *steps)]
    plan = abstracted(texts[0], texts[1:], names)

    assert [filled(text, plan) for text in (plan.problem, *plan.steps)] == texts
    assert abstracted(texts[0], texts[1:], [*reversed(names)]) == plan


def test_a_hostile_text_takes_no_longer_than_its_length() -> None:
    """Nothing in the patterns tries the same again and again: these end at once, or never."""
    for part in ("a.", "a/", "1,", "9", "-", "A1", "a-1.", '"', "@+."):
        abstracted(part * 20_000 + "!", [])


def test_plans_are_alike_but_for_a_word_or_two() -> None:
    """Other values or another word make no other plan; another step or problem does."""
    steps = ["read {path_1} on the host", "restart it and wait {number_1}", "check its health"]
    plan = Abstracted("restart a {name_1} that hangs on the host", tuple(steps), {})
    reworded = plan._replace(steps=(*steps[:2], "check the health"))
    longer = plan._replace(steps=(*steps, "write a note to all others about it"))

    assert alike(plan, plan)
    assert alike(plan, reworded)
    assert not alike(plan, longer)
    assert not alike(plan, plan._replace(problem="delete a {name_1} that nobody wants any more"))
