"""What the browser benchmark runs in its kernel still runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

CODE = Path(__file__).with_name("bench") / "ui_kernel.py"


def test_the_kernel_of_the_benchmark_offers_maps_and_slices() -> None:
    names: dict[str, Any] = {"__name__": "bench"}
    source = CODE.read_text().replace("SLICES = 300", "SLICES = 3")
    exec(compile(source, CODE, "exec"), names)
    names["source"].offer(0.05)
    assert names["canvas"].effect["shape"] == [64, 64]
    names["canvas"]._handle_custom_msg({"type": "ack", "id": names["canvas"].effect["id"]}, [])
    assert names["ages"][0] > 0
    assert names["viewer"].count == 3
