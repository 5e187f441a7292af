"""For the tests of code that uses pinak-ray: a whole swarm in one process, without Ray or database.

async with LocalSwarm() as swarm:
    await swarm.agent("deployer").remember("migration 42 locks orders", outcome="failure")
"""

from pinak_ray.testing.swarm import LocalSwarm

__all__ = ["LocalSwarm"]
