"""Public names: what `__all__` says is what there is."""

import ast
import importlib
import inspect
import pkgutil
import subprocess
import sys

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
    """What a type checker is told to import is listed, sorted, and loaded on first use."""
    source = ast.parse(inspect.getsource(pinak_ray))
    told = {
        alias.name: node.module
        for node in ast.walk(source)
        if isinstance(node, ast.ImportFrom) and node.level == 0
        for alias in node.names
        if alias.name not in {"TYPE_CHECKING", "Any"} and node.col_offset == 4
    }

    assert sorted({*told, "__version__"}) == pinak_ray.__all__
    for name, module in told.items():
        assert getattr(pinak_ray, name) is getattr(importlib.import_module(str(module)), name)


def test_a_name_that_is_not_public_is_no_attribute() -> None:
    """Loading on first use does not make every name exist."""
    with pytest.raises(AttributeError, match="nothing"):
        pinak_ray.nothing  # type: ignore[attr-defined]  # noqa: B018


def test_importing_the_package_imports_nothing_heavy() -> None:
    """`import pinak_ray` alone loads no Ray: the hook pays for what it uses only."""
    code = "import sys, pinak_ray; sys.exit('ray' in sys.modules or 'orjson' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], timeout=60, check=False).returncode == 0


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
