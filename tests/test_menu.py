"""None as a choice of a menu, whatever the order in which traits are set."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from pdcr_widgets.widgets.menu import Menu

OPTIONS = [("none", None), ("first", 1), ("second", 2)]
MADE = f"from pdcr_widgets.widgets.menu import Menu; print(Menu(options={OPTIONS}).index)"


def test_none_can_be_chosen_again() -> None:
    menu = Menu(options=OPTIONS)
    menu.value = 2
    assert (menu.index, menu.label) == (2, "second")
    menu.value = None
    assert (menu.index, menu.label) == (0, "none")
    menu.set_state({"index": 1})
    assert menu.value == 1


def test_other_options_may_come() -> None:
    menu = Menu(options=OPTIONS[:1])
    menu.options = [("first", 1), ("none", None)]
    assert menu.index == 0
    menu.value = None
    assert menu.index == 1


def test_a_menu_without_none_has_no_choice_then() -> None:
    menu = Menu(options=OPTIONS[1:])
    menu.value = None
    assert menu.index is None


@pytest.mark.parametrize("seed", [1, 6])
def test_the_first_choice_is_shown_whatever_the_order_of_sets(seed: int) -> None:
    environment = os.environ | {"PYTHONHASHSEED": str(seed)}
    made = subprocess.run(
        [sys.executable, "-c", MADE], env=environment, capture_output=True, text=True, check=True
    )
    assert made.stdout.strip() == "0"
