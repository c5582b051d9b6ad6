"""What docs/components.md says is true: its code runs, its kinds and its names exist."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

import pdcr_widgets as pdcr
from pdcr_widgets.causal.components import INTERVENTIONS

PAGE = (Path(__file__).resolve().parents[1] / "docs" / "components.md").read_text()


@pytest.fixture(scope="module")
def names() -> dict[str, Any]:
    """What the page's code defines, run from top to bottom."""
    held: dict[str, Any] = {}
    for snippet in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL):
        exec(compile(snippet, "docs/components.md", "exec"), held)
    return held


def test_the_code_runs_and_gives_what_it_says(names: dict[str, Any]) -> None:
    assert {"encoder", "bottleneck", "skip", "decoder"} == {row.group for row in names["effects"]}
    assert names["where"].change.shape == tuple(names["case"].image.shape[1:])
    assert [row.skip for row in names["paths"]] == [
        part.name for part in names["tree"].find(kind="skip")
    ]
    assert len(names["pairs"]) == 1
    assert pdcr.window_map(names["windows"]).shape == names["tree"].find("encoder.1")[0].resolution
    assert names["curve"].effect[2] == pytest.approx(0, abs=1e-6)


def test_every_kind_of_intervention_is_explained() -> None:
    assert re.findall(r'^\| `"(\w+)"` \|', PAGE.partition("replaced by")[2], re.M) == list(
        INTERVENTIONS
    )


def test_the_names_of_the_table_are_understood(names: dict[str, Any]) -> None:
    wanted = re.findall(r"^\| (`.*?`) \|", PAGE.partition("| `layers=` |")[2], re.M)
    patterns = [p for cell in wanted for p in re.findall(r'"([^"]+)"', cell)]
    known = [p for p in patterns if "attn" not in p and p != "*.head[*" and p not in INTERVENTIONS]
    assert len(known) == 11
    found = pdcr.layer_effects(
        **names["ask"], layers=[p for p in known if p != "encoder.2[*]"], outcome="soft_dice"
    )
    assert set(found.layers) >= {"encoder.2[7]", "encoder.2[0:8]", "encoder.0 -> decoder.2"}
