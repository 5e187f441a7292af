"""What joins the two wires, and what only one of them has."""

import pytest

from pinak_ray import Forbidden, InvalidInput, NotRunning, Unauthorized, connect
from pinak_ray.client.discovery import StackFile
from pinak_ray.cluster.settings import Settings
from pinak_ray.records.ids import NamespaceKey
from pinak_ray.security import Scope
from tests.support.wires import over_http

pytestmark = [pytest.mark.ray, pytest.mark.postgres]

ANY_AGENT = (Scope.READ, Scope.WRITE, Scope.AGENTS)


async def test_both_wires_lead_to_one_agent(
    stack_settings: Settings, namespace: NamespaceKey
) -> None:
    """What is written over one wire is read and continued over the other."""
    near = connect(home=stack_settings.home, tenant=namespace.tenant, project=namespace.project)
    async with over_http(stack_settings, namespace, *ANY_AGENT) as far:
        await near.agent("ada").note("plan", "near")
        receipt = await far.agent("ada").note("plan", "far", expected_version=1)
        await far.agent("ada").remember("orders are locked")
        found = await near.agent("ada").recall("orders", recipe="lexical")

    assert receipt.version == 2
    assert [item.value for item in await near.agent("ada").recollect("plan")] == ["far"]
    assert [hit.content for hit in found.hits] == ["orders are locked"]


async def test_a_token_opens_one_namespace_only(
    stack_settings: Settings, namespace: NamespaceKey
) -> None:
    """Another project's token finds nothing of this one."""
    other = NamespaceKey(namespace.tenant, f"{namespace.project}-other")
    async with (
        over_http(stack_settings, namespace, *ANY_AGENT) as mine,
        over_http(stack_settings, other, *ANY_AGENT) as theirs,
    ):
        await mine.agent("ada").note("plan", 1)
        await mine.agent("ada").remember("orders are locked")

        assert await theirs.agent("ada").recollect() == ()
        assert (await theirs.agent("ada").recall("orders")).hits == ()


async def test_a_reader_cannot_write(stack_settings: Settings, namespace: NamespaceKey) -> None:
    """A token without the scope is Forbidden, as an error of the same tree."""
    async with over_http(stack_settings, namespace, Scope.READ, Scope.AGENTS) as swarm:
        assert await swarm.agent("ada").recollect() == ()
        with pytest.raises(Forbidden, match=r"memory\.write"):
            await swarm.agent("ada").note("plan", 1)


async def test_a_token_speaks_for_its_subject(
    stack_settings: Settings, namespace: NamespaceKey
) -> None:
    """Another agent is Forbidden, to write and to read; the subject's own is not."""
    async with over_http(stack_settings, namespace, Scope.READ, Scope.WRITE) as swarm:
        await swarm.agent("tester").note("plan", 1)
        for refused in (swarm.agent("ada").note("plan", 1), swarm.agent("ada").recollect()):
            with pytest.raises(Forbidden, match=r"memory\.agents"):
                await refused


async def test_a_bad_token_is_refused_at_once(stack_settings: Settings) -> None:
    """Connecting with a token that does not hold raises Unauthorized."""
    url = StackFile.read(stack_settings.home).url
    with pytest.raises(Unauthorized):
        connect(url=url, token="not a token")


def test_nobody_at_the_url_is_not_running() -> None:
    """A gateway that does not answer is named, and so is a missing token."""
    with pytest.raises(NotRunning, match="no gateway answers"):
        connect(url="http://127.0.0.1:9", token="t")
    with pytest.raises(NotRunning, match="needs a token"):
        connect(url="http://127.0.0.1:9")


async def test_there_is_no_remote_lane_over_http(
    stack_settings: Settings, namespace: NamespaceKey
) -> None:
    """`.remote()` says what to write instead."""
    async with over_http(stack_settings, namespace, *ANY_AGENT) as swarm:
        with pytest.raises(InvalidInput, match="await"):
            swarm.agent("ada").note.remote("plan", 1)
