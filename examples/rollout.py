"""The README's example: an agent in a Ray task remembers a failure, and is warned the next time.

Run `pinak-ray up` first, then this twice.
"""

import ray

import pinak_ray

swarm = pinak_ray.connect()  # joins the cluster that `pinak-ray up` started
deployer = swarm.agent("deployer")  # a cheap handle: pass it to any Ray task or actor


@ray.remote
def roll_out(agent: pinak_ray.AgentHandle, service: str) -> tuple[object, pinak_ray.RecallResult]:
    """Say what is about to be done, record how it ended, and look it up again."""
    nudges = ray.get(agent.intend.remote(f"deploy {service} to production", tool="kubectl"))
    failure = f"deploy of {service} to production failed: migration 42 locks orders"
    ray.get(agent.remember.remote(failure, outcome="failure", ack="searchable"))
    return nudges, ray.get(agent.recall.remote("what blocked the last deploy?", k=3))


if __name__ == "__main__":
    nudges, found = ray.get(roll_out.remote(deployer, "orders"))
    print([nudge.message for nudge in nudges])  # empty at first; run it again and it warns
    print([hit.content for hit in found.hits])
