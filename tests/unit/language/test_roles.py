"""Names that say a role: whose they are, and that nobody is named by them."""

import pytest

from pinak_ray.language.named_agents import named_agent
from pinak_ray.language.roles import is_asking, is_role


@pytest.mark.parametrize(
    "name", ["user", "User", "human", "user-42", "user_3f2a", "USER 7", "end-user", "Ｕser", "用户"]
)
def test_who_uses_an_assistant_is_known_by_the_role(name: str) -> None:
    """In any case, width and language, and with a number behind it."""
    assert is_asking(name)
    assert is_role(name)


@pytest.mark.parametrize("name", ["user-service", "usermod", "humanist", "Ada", "deployer-2"])
def test_a_name_that_begins_like_a_role_is_a_name(name: str) -> None:
    """Only the whole name is a role."""
    assert not is_asking(name)
    assert not is_role(name)


def test_a_role_with_a_name_is_asking_and_named() -> None:
    """ "user:ada" is a human being, and that name is no everyday word."""
    assert is_asking("user:ada")
    assert named_agent("what did user:ada want?", ["user:ada", "bot"]) == "user:ada"


def test_who_answers_is_not_asking() -> None:
    """An assistant's question is a question."""
    assert is_role("assistant")
    assert not is_asking("assistant")


@pytest.mark.parametrize("query", ["which user model do we have?", "is the system up, assistant?"])
def test_a_role_is_an_everyday_word_and_names_nobody(query: str) -> None:
    """A question that has the word does not ask for what that agent said."""
    assert named_agent(query, ["user", "assistant", "system", "model"]) is None


def test_a_role_hides_no_name() -> None:
    """Beside it, the one agent with a name is named."""
    assert named_agent("what did Ada tell the user?", ["user", "Ada"]) == "Ada"
