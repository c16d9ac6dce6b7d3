"""Names are ours: `import config` finds the project's own module and nobody else's."""

import importlib.util
from pathlib import Path

import pytest

from tests.architecture.code import SRC, every_module, top_level_names


@pytest.mark.parametrize("name", top_level_names())
def test_every_top_level_name_is_found_in_src(name: str) -> None:
    found = importlib.util.find_spec(name)

    assert found is not None
    places = [found.origin] if found.origin is not None else list(found.submodule_search_locations or ())
    assert places
    assert all(Path(place).resolve().is_relative_to(SRC) for place in places)


def test_every_module_can_be_imported_and_is_from_src() -> None:
    modules = every_module()

    assert len(modules) > 100
    assert [m.__name__ for m in modules if m.__file__ and not Path(m.__file__).resolve().is_relative_to(SRC)] == []


def test_src_is_no_package() -> None:
    assert not (SRC / "__init__.py").exists()
