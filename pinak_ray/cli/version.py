"""`pinak-ray version`."""

import platform
from importlib.metadata import version as installed

from pinak_ray import __version__
from pinak_ray.cli.console import print_json, stdout
from pinak_ray.cli.options import AsJson, VerboseFlag


def version(as_json: AsJson = False, verbose: VerboseFlag = False) -> None:
    """Print the versions of pinak-ray, Python and Ray."""
    versions = {
        "pinak_ray": __version__,
        "python": platform.python_version(),
        "ray": installed("ray"),
    }
    if as_json:
        print_json(versions)
    else:
        stdout().print(
            f"pinak-ray {__version__} (Python {versions['python']}, Ray {versions['ray']})"
        )
