"""What a template's runs say of its next one."""

import pytest

from pinak_ray.records.memory.templates import Outcomes


@pytest.mark.parametrize(
    ("runs", "successes", "failing"),
    [(0, 0, False), (4, 0, False), (5, 1, True), (5, 2, False), (100, 39, True), (100, 40, False)],
)
def test_failing_needs_enough_runs(runs: int, successes: int, failing: bool) -> None:
    """A few failures are bad luck, and a rate at the floor is none."""
    assert Outcomes(runs, successes).failing is failing


def test_untried_templates_stand_between_those_that_work_and_those_that_fail() -> None:
    """No use is needed to be used: Laplace's rule gives one half before the first run."""
    untried, worked, failed = Outcomes(), Outcomes(3, 3), Outcomes(3, 0)

    assert failed.expected_rate < untried.expected_rate == 0.5 < worked.expected_rate
