"""Recipes: named values, and the one agent whom a query names."""

import pytest

from pinak_ray.language.named_agents import named_agent
from pinak_ray.recall.recipes import (
    AGENT,
    DATE,
    DENSE,
    LEXICAL,
    QUESTION,
    RECIPES,
    WINDOW_DENSE,
    WINDOW_LEXICAL,
    Fusion,
    recipe_named,
)
from pinak_ray.records.errors import InvalidInput
from pinak_ray.records.memory.recall import new_recall


def test_unknown_recipes_are_refused_with_the_choices() -> None:
    """The error names every recipe there is."""
    with pytest.raises(InvalidInput) as caught:
        recipe_named("best")
    assert all(name in str(caught.value) for name in RECIPES)


def test_the_default_weighs_four_signals_alike() -> None:
    """The default recipe is the measured one."""
    default = recipe_named("default")
    four = (DENSE, LEXICAL, WINDOW_DENSE, WINDOW_LEXICAL)
    assert default.signal_weights() == {
        **dict.fromkeys(four, 0.25),
        AGENT: 1.0,
        DATE: 1.0,
        QUESTION: -0.5,
    }
    assert default.fusion is Fusion.ZSCORE
    assert default.candidates == 50


def test_rrf_uses_the_published_constant() -> None:
    """k is 60, as in the paper."""
    assert recipe_named("rrf").rrf_k == 60


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=lambda recipe: recipe.name)
def test_an_unused_signal_brings_no_candidates(recipe) -> None:  # type: ignore[no-untyped-def]
    """A recipe asks only for its own signals, and for at least k of each; walked, for one more."""
    for signal in (DENSE, LEXICAL):
        wanted = 200 + recipe.is_walked if signal in recipe.weights else 0
        assert recipe.limit(signal, new_recall("x", k=200)) == wanted
        assert recipe.limit(signal, new_recall("x", k=1)) == min(wanted, 50)


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=lambda recipe: recipe.name)
def test_recipes_cannot_be_changed(recipe) -> None:  # type: ignore[no-untyped-def]
    """A recipe is a value: neither its fields nor its weights can be set."""
    with pytest.raises(AttributeError):
        recipe.candidates = 5
    with pytest.raises(TypeError):
        recipe.weights[DENSE] = 9.0


@pytest.mark.parametrize(
    ("query", "agents", "expected"),
    [
        ("When did Caroline paint?", ["Caroline", "Melanie"], "Caroline"),
        ("what did CAROLINE say", ["Caroline"], "Caroline"),
        ("Caroline and Melanie", ["Caroline", "Melanie"], None),
        ("who painted?", ["Caroline", "Melanie"], None),
        ("Carolines painting", ["Caroline"], None),
        ("ask deployer-2 again", ["deployer", "deployer-2"], "deployer-2"),
        ("ask deployer", ["deployer", "deployer-2"], "deployer"),
        ("what did a.*b do", ["a.*b", "axxb"], "a.*b"),
        ("anything", [], None),
        ("What did Melanie give Caroline?", ["Caroline", "Melanie"], "Melanie"),
        ("what do Caroline, Melanie or Ada like", ["Caroline", "Melanie"], None),
        ("did both of them, Caroline with Melanie, go", ["Caroline", "Melanie"], None),
        ("Caroline thanked Caroline", ["Caroline", "Melanie"], "Caroline"),
    ],
)
def test_a_query_speaks_of_the_first_agent_it_names(
    query: str, agents: list[str], expected: str | None
) -> None:
    """By whole name in any case; of a pair that is named alike it speaks of neither."""
    assert named_agent(query, agents) == expected
