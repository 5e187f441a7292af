"""What was simulated on."""

import os
import platform
from importlib.metadata import version
from typing import Any

__all__ = ["describe_machine"]


def describe_machine() -> dict[str, Any]:
    """Return this machine's size and the versions that ran."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "cores": os.cpu_count() or 1,
        "memory_gib": round(memory / 2**30, 1),
        "system": f"{platform.system()} {platform.release().split('-')[0]}",
        "python": platform.python_version(),
        "ray": version("ray"),
        "pinak_ray": version("pinak-ray"),
        "load_before": round(os.getloadavg()[0], 2),
    }
