"""Thought templates: distilled once, found by likeness and success, over each wire and the twin."""

import pytest

from pinak_ray import Swarm
from pinak_ray.records.errors import InvalidInput, NotFound
from pinak_ray.records.memory.memories import Layer


async def worked(swarm: Swarm, agent: str, host: str) -> None:
    """Let an agent restart a host, at the second attempt."""
    pad = swarm.agent(agent).scratchpad
    await pad.act(f"drain {host} from the load balancer")
    await pad.act("reboot the rack", success=False, error="no such rack")
    await pad.act(f"restart {host} and wait 30s")


async def test_a_good_trajectory_becomes_a_template(swarm: Swarm) -> None:
    """Without the steps that failed and with slots for values, as a procedural memory."""
    await worked(swarm, "ann", "web-3")
    distilled = await swarm.agent("ann").scratchpad.distill("web-3 does not answer", quality=0.9)

    assert distilled.new
    assert not distilled.merged
    assert distilled.problem == "{name_1} does not answer"
    assert distilled.steps == (
        "drain {name_1} from the load balancer",
        "restart {name_1} and wait {number_1}",
    )
    assert distilled.slots == {"name_1": "web-3", "number_1": "30s"}
    assert distilled.left_out == 1
    found = await swarm.agent("bob").recall("load balancer", recipe="lexical")
    (hit,) = found.hits
    assert (hit.id, hit.layer, hit.tags) == (distilled.template, Layer.PROCEDURAL, ("template",))


async def test_one_trajectory_is_distilled_once(swarm: Swarm) -> None:
    """Again it is the same template, whatever its problem is called, and no further success."""
    await worked(swarm, "ann", "web-3")
    pad = swarm.agent("ann").scratchpad
    first = await pad.distill("web-3 does not answer", quality=0.9)
    again = await pad.distill("a host is gone", quality=0.9)

    assert again.template == first.template
    assert not again.new
    assert not again.merged
    (template,) = (await swarm.agent("bob").templates("web-5 does not answer")).templates
    assert (template.id, template.runs, template.successes) == (first.template, 1, 1)


async def test_nearly_the_same_plan_is_one_template(swarm: Swarm) -> None:
    """The second trajectory is one more success of the first one's template."""
    await worked(swarm, "ann", "web-3")
    await worked(swarm, "bob", "web-9")
    first = await swarm.agent("ann").scratchpad.distill("web-3 does not answer", quality=0.9)
    second = await swarm.agent("bob").scratchpad.distill("web-9 does not answer", quality=0.9)

    assert second.merged
    assert not second.new
    assert second.template == first.template
    (template,) = (await swarm.agent("eve").templates("web-1 does not answer")).templates
    assert (template.runs, template.successes, template.expected_rate) == (2, 2, 0.75)


async def test_a_poor_trajectory_is_no_template(swarm: Swarm) -> None:
    """Below the bar, by the scratchpad's own quality or the caller's; nor is one without steps."""
    pad = swarm.agent("ann").scratchpad
    with pytest.raises(InvalidInput, match="no step"):
        await pad.distill("nothing done", quality=1.0)
    await worked(swarm, "ann", "web-3")

    assert (await pad.distill("web-3 is gone", quality=0.5)).template is None
    own = await pad.distill("web-3 is gone")
    assert own.template is None
    assert own.quality == (await pad.quality()).overall
    assert (await swarm.agent("bob").templates("web-3 is gone")).templates == ()


async def test_the_next_task_on_a_scratchpad_is_a_trajectory_of_its_own(swarm: Swarm) -> None:
    """`after` leaves out what came before, as it does where entries are read."""
    pad = swarm.agent("ann").scratchpad
    await pad.act("sharpen the pencil")
    before = (await pad.read())[-1].seq
    await pad.act("draw a map")

    assert (await pad.distill("find the way", quality=1.0, after=before)).steps == ("draw a map",)


async def test_a_template_that_nobody_used_is_found(swarm: Swarm) -> None:
    """No use is needed for the first use: what was distilled a moment ago is offered at once."""
    await worked(swarm, "ann", "web-3")
    distilled = await swarm.agent("ann").scratchpad.distill("web-3 does not answer", quality=0.75)

    (template,) = (await swarm.agent("bob").templates("web-8 does not answer")).templates
    assert template.id == distilled.template
    assert template.steps == distilled.steps
    assert template.score == pytest.approx(template.similarity * template.expected_rate)


async def test_each_run_counts_once_and_its_last_word_holds(swarm: Swarm) -> None:
    """A retry, and a second opinion on the same run, make no second run."""
    await worked(swarm, "ann", "web-3")
    agent = swarm.agent("ann")
    template = (await agent.scratchpad.distill("web-3 is gone", quality=0.9)).template
    assert template is not None

    first = await agent.template_used(template, True, run="monday")
    again = await agent.template_used(template, True, run="monday")
    otherwise = await agent.template_used(template, False, run="monday")
    assert (first.new, first.runs, first.successes) == (True, 2, 2)
    assert (again.new, again.runs, again.successes) == (False, 2, 2)
    assert (otherwise.new, otherwise.runs, otherwise.successes) == (False, 2, 1)


async def test_a_template_that_fails_sinks_and_is_reported(swarm: Swarm) -> None:
    """Behind one that is less like the problem but works, though it is still there to be seen."""
    pads = {name: swarm.agent(name).scratchpad for name in ("ann", "bob")}
    await pads["ann"].act("drop the orders table and hope")
    await pads["bob"].act("cancel whatever holds the lock")
    bad = await pads["ann"].distill("orders table is locked", quality=0.9)
    good = await pads["bob"].distill("some orders table is locked again", quality=0.9)
    assert bad.template is not None
    assert good.template is not None
    agent = swarm.agent("eve")
    before = (await agent.templates("orders table is locked")).templates
    assert [each.id for each in before] == [bad.template, good.template]

    for run in range(4):
        told = await agent.template_used(bad.template, False, run=f"run {run}")
    assert told.failing
    assert told.runs == 5
    after = (await agent.templates("orders table is locked")).templates
    assert [(each.id, each.failing) for each in after] == [
        (good.template, False),
        (bad.template, True),
    ]


async def test_only_templates_have_outcomes(swarm: Swarm) -> None:
    """Not another memory, one that is gone, or nothing at all."""
    agent = swarm.agent("ann")
    await worked(swarm, "ann", "web-3")
    template = (await agent.scratchpad.distill("web-3 is gone", quality=0.9)).template
    assert template is not None
    await agent.forget(template)

    memory = await agent.remember("no template")
    for id_ in (memory.id, template):
        with pytest.raises(NotFound):
            await agent.template_used(id_, True, run="monday")
    for attempt in (
        lambda: agent.template_used(memory.id, True, run=""),
        lambda: agent.template_used("no id", True, run="monday"),
        lambda: agent.templates("", k=1),
        lambda: agent.templates("x", k=21),
    ):
        with pytest.raises(InvalidInput):
            await attempt()
