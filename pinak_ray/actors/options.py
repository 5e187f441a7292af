"""The options that all our actors share."""

from typing import Any

__all__ = ["actor_options"]


def actor_options(name: str, *, resources: dict[str, float]) -> dict[str, Any]:
    """Return the options that all our actors share.

    max_restarts=-1: Ray restarts a killed process. max_task_retries=0: with Ray's hidden retries an
    operation ran twice (measured); the client retries instead, with the same id. num_cpus=0: the
    actors wait for sockets, and must start on a machine whose cores are busy.
    """
    return {
        "name": name,
        "lifetime": "detached",
        "get_if_exists": True,
        "max_restarts": -1,
        "max_task_retries": 0,
        "num_cpus": 0,
        # Half of them may be a host's watchers, for 20 s (`records.limits.MAX_WAIT_S`) each.
        "max_concurrency": 4000,
        # One record a call in the GCS, which keeps 100,000 of them: 20 MiB a minute at full load.
        "enable_task_events": False,
        "resources": resources,
        "scheduling_strategy": "SPREAD",
    }
