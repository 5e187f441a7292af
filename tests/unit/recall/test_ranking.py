"""What the recipe made by hand takes off and adds, seen from the verb."""

from typing import Any

from pinak_ray import RecallResult
from pinak_ray.testing import LocalSwarm


async def recalled(query: str, *said: tuple[str, str], **options: Any) -> RecallResult:
    """Return what a namespace of these (agent, content) of one session answers, with its trace."""
    swarm = LocalSwarm()
    for agent, content in said:
        await swarm.agent(agent).remember(content, session="s")
    wanted = {"recipe": "fused", "trace": True, "every_copy": True, **options}
    return await swarm.agent("reader").recall(query, **wanted)


def contributions(result: RecallResult, name: str) -> dict[str, float]:
    """Return what one signal adds to each hit, by agent."""
    return {
        hit.agent: signal.contribution
        for hit in result.hits
        for signal in hit.signals
        if signal.name == name
    }


async def test_a_users_question_is_no_mere_question() -> None:
    """A user says what is so and asks then; the assistant and colleagues only ask."""
    asked = "The build runs on Buildkite 3.2, how do I cache it?"
    result = await recalled(
        "what does the build run on?",
        *((agent, asked) for agent in ("user", "human-7", "assistant", "Ada")),
    )
    taken = contributions(result, "question")
    assert taken == {"user": 0.0, "human-7": 0.0, "assistant": -0.5, "Ada": -0.5}


async def test_questions_are_told_in_any_script() -> None:
    """The mark at the end is that of the script."""
    result = await recalled("2024 plan", ("Wei", "2024 plan 是什么？"), ("Amal", "ما plan 2024؟"))
    assert contributions(result, "question") == {"Wei": -0.5, "Amal": -0.5}


async def test_the_word_user_prefers_no_user() -> None:
    """ "user" in a question is its matter."""
    result = await recalled(
        "where is the user table?",
        ("user", "the user table grows"),
        ("assistant", "the user table is in schema crm"),
    )
    assert set(contributions(result, "agent").values()) == {0.0}
