"""The crowd of failures that a right one is to be found in."""

from benchmarks.crowd.failures import failures, fields


def test_the_same_seed_draws_the_same_and_no_failure_twice() -> None:
    """Figures of two runs are of the same crowd, and none of it is drawn as a copy."""
    drawn = failures(2_000, seed=5)
    assert drawn == failures(2_000, seed=5)
    assert len(set(drawn)) == 2_000
    assert set(drawn) != set(failures(2_000, seed=6))


def test_a_crowd_may_be_of_some_fields_only() -> None:
    """So that what is chosen on some is tried on others."""
    known = fields()
    of_one = failures(50, seed=1, among=["household"])
    named = [who for who in known["household"]["who"] if any(who[1:] in each for each in of_one)]
    assert len(named) > 5
    strangers = [who for who in known["payments"]["who"] if any(who[1:] in each for each in of_one)]
    assert not strangers


def test_every_field_says_all_that_a_failure_is_made_of() -> None:
    """A list that is missing would show as a failure of one field in some thousand draws."""
    for name, field in fields().items():
        assert set(field) == {"who", "things", "to", "why", "so", "said"}, name
        assert all("{thing}" in each for each in field["to"]), name
