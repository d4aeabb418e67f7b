"""Registries refuse duplicates and explain unknown names."""

import pytest

from gnnmc.errors import InputError
from gnnmc.registry import Registry, unknown_name


@pytest.fixture
def colors():
    registry = Registry("color")
    registry.add("red", 1)
    registry.add("Green", 2)
    return registry


def test_entries_are_found_in_the_order_of_registration(colors):
    assert colors["red"] == 1
    assert colors.names() == list(colors) == ["red", "Green"]
    assert len(colors) == 2
    assert "red" in colors
    assert "blue" not in colors


def test_register_is_add_as_a_decorator(colors):
    @colors.register("mix")
    def blend():
        return 3

    assert colors["mix"] is blend
    assert blend() == 3


def test_a_duplicate_is_refused_and_the_first_stays(colors):
    with pytest.raises(InputError, match="color 'red' is registered already"):
        colors.add("red", 9)
    assert colors["red"] == 1


@pytest.mark.parametrize(
    "name, message",
    [
        ("rad", "unknown color 'rad': did you mean 'red'? allowed: Green, red"),
        ("green", "unknown color 'green': did you mean 'Green' or 'red'? allowed: Green, red"),
        ("xyzzy", "unknown color 'xyzzy': allowed: Green, red"),
        (["red"], "unknown color ['red']: did you mean 'red'? allowed: Green, red"),
        (None, "unknown color None: allowed: Green, red"),
    ],
)
def test_an_unknown_name_is_explained_with_the_nearest_matches(colors, name, message):
    with pytest.raises(InputError) as error:
        colors[name]
    assert str(error.value) == message


def test_unknown_name_is_an_error_to_raise_not_a_raise():
    assert isinstance(unknown_name("key", "x", ["y"]), InputError)
