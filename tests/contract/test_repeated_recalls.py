"""The same recall again, over each wire and in the twin: the same, until something changes."""

from pinak_ray import Swarm


async def test_a_repeated_recall_sees_every_write_in_between(swarm: Swarm) -> None:
    """Whoever wrote: what has its receipt is found by the next recall, asked before or not."""
    ada, bob = swarm.agent("ada"), swarm.agent("bob")
    for number in range(4):
        for agent in (ada, bob, ada):
            found = await agent.recall("which orders are locked", k=50)
            assert len(found.hits) == number
        # Searchable: until its vector is there, what comes first may still change.
        await bob.remember(f"orders of customer {number} are locked", ack="searchable")
    first = await ada.recall("which orders are locked", k=2)
    again = await bob.recall("which orders are locked", k=2)
    assert [hit.id for hit in first.hits] == [hit.id for hit in again.hits]
