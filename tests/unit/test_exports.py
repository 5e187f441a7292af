"""Public names: what `__all__` says is what there is."""

import importlib
import pkgutil
import types

import pytest

import pinak_ray

# Alembic runs this file as a script, inside its own context.
_SCRIPTS = {"pinak_ray.migrations.env"}
MODULES = sorted(
    info.name
    for info in pkgutil.walk_packages(pinak_ray.__path__, "pinak_ray.")
    if info.name not in _SCRIPTS
)


def test_the_public_names_are_those_exported() -> None:
    """Everything the package imports is meant to be public, and is listed, sorted."""
    there = {
        name
        for name, value in vars(pinak_ray).items()
        if not name.startswith("_") and not isinstance(value, types.ModuleType)
    }

    assert sorted({*there, "__version__"}) == pinak_ray.__all__


@pytest.mark.parametrize("name", MODULES)
def test_every_listed_name_exists(name: str) -> None:
    """A module's `__all__` is sorted by its linter and names only what the module has."""
    module = importlib.import_module(name)
    listed = getattr(module, "__all__", [])

    assert [missing for missing in listed if not hasattr(module, missing)] == []
    assert len(listed) == len(set(listed))


@pytest.mark.parametrize("name", [name for name in MODULES if name.count(".") == 1])
def test_every_part_of_the_house_says_what_it_is(name: str) -> None:
    """Each first-level package and module has a docstring."""
    assert importlib.import_module(name).__doc__
