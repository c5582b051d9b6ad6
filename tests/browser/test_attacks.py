"""A stranger who talks to the server of a class without a page: nobody else may notice."""

from __future__ import annotations

import asyncio
import json
import re
import urllib.request
import uuid
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest
from lesson_pages import NOTEBOOKS, classroom_command
from servers import free_port, serving
from tornado.httpclient import HTTPClientError, HTTPRequest
from tornado.websocket import WebSocketClientConnection, websocket_connect

V1 = "v1.kernel.websocket.jupyter.org"
PATIENCE = 60
CONTROL = "jupyter.widget.control"
PROTOCOL = {"version": "2.1.0"}


@pytest.fixture(scope="module")
def classroom(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a class."""
    port, home = free_port(), tmp_path_factory.mktemp("classroom")
    with serving(classroom_command(port, NOTEBOOKS), f"http://127.0.0.1:{port}/", home) as url:
        yield url


def framed(channel: str, kind: str, content: Any, metadata: Any = None) -> bytes:
    """Write a message in Jupyter's binary protocol."""
    header = {
        "msg_id": uuid.uuid4().hex, "msg_type": kind, "session": "s", "username": "",
        "version": "5.3", "date": "",
    }  # fmt: skip
    told = (header, {}, metadata or {}, content)
    parts = [channel.encode(), *(json.dumps(part).encode() for part in told)]
    ends = [8 * (len(parts) + 2)]
    for part in parts:
        ends.append(ends[-1] + len(part))
    head = [len(ends), *ends]
    return b"".join(number.to_bytes(8, "little") for number in head) + b"".join(parts)


@dataclass
class Stranger:
    """Somebody with a lesson of their own, connected to its kernel."""

    address: str
    line: WebSocketClientConnection

    async def say(self, *message: Any) -> None:
        await self.line.write_message(framed(*message), binary=True)

    async def hear(self, wanted: bytes) -> bytes:
        """Wait for a message in which something is said."""
        while True:
            told = await asyncio.wait_for(self.line.read_message(), PATIENCE)
            assert told is not None, "the server hung up"
            if wanted in told:
                return bytes(told)

    async def ask_each(self, comms: set[str]) -> None:
        """Ask every widget for its state, as a page on a slow machine does, until all answered."""
        for comm in comms:
            asked = {"comm_id": comm, "data": {"method": "request_state"}}
            await self.say("shell", "comm_msg", asked)
        silent = set(comms)
        while silent:
            found = re.search(rb'"comm_id": ?"([-0-9a-f]+)"', await self.hear(b'"update"'))
            assert found is not None
            silent.discard(found[1].decode())

    async def states(self) -> dict[str, Any]:
        """Ask for the state of all widgets, as a page does."""
        comm = uuid.uuid4().hex
        opened = {"comm_id": comm, "target_name": CONTROL, "data": {}}
        asked = {"comm_id": comm, "data": {"method": "request_states"}}
        await self.say("shell", "comm_open", opened, {"version": "1.0.0"})
        await self.say("shell", "comm_msg", asked)
        told = await self.hear(b'"update_states"')
        start = told.index(b'{"', told.index(b'"update_states"') - 60)
        found, _ = json.JSONDecoder().raw_decode(told[start:].decode("utf-8", "replace"))
        return dict(found["data"]["states"])


async def hang_up(line: WebSocketClientConnection) -> None:
    """Close a connection that the server has not closed, and wait until it is closed."""
    ended = line.close_code is not None
    line.close()
    while not ended and await asyncio.wait_for(line.read_message(), PATIENCE) is not None:
        pass


def visiting(classroom: str, act: Callable[[Stranger], Awaitable[None]]) -> None:
    """Open the first lesson, without a browser, and do something with its kernel."""

    async def visit() -> None:
        with urllib.request.urlopen(f"{classroom}voila/render/lesson_1_one_patch.ipynb") as page:
            kernel = re.search(r'"?kernelId"?:\s*"([-0-9a-f]{36})"', page.read().decode())
        assert kernel is not None
        address = f"ws{classroom.removeprefix('http')}api/kernels/{kernel[1]}/channels"
        line = await websocket_connect(
            HTTPRequest(address), subprotocols=[V1], max_message_size=2**28
        )
        await act(Stranger(address, line))
        await hang_up(line)

    # Browsers of other tests keep an event loop in this thread.
    with ThreadPoolExecutor(1) as apart:
        apart.submit(lambda: asyncio.run(visit())).result()


def answers(classroom: str) -> bool:
    with urllib.request.urlopen(classroom, timeout=PATIENCE) as page:
        return bool(page.status == 200)


def test_code_is_refused_on_every_channel(classroom: str) -> None:
    async def act(stranger: Stranger) -> None:
        code = {"code": "import os; os.environ['H'] = '1'", "silent": False}
        for channel in ("shell", "control", "stdin", "iopub"):
            await stranger.say(channel, "execute_request", code)
            await stranger.say(channel, "debug_request", {"type": "request", "seq": 1})
            await stranger.say(channel, "input_reply", {"value": "1"})
        await stranger.say("control", "shutdown_request", {"restart": False})
        await stranger.say("shell", "kernel_info_request", {})
        told = b""
        while b"kernel_info_reply" not in told:
            told = await stranger.hear(b"msg_type")
            assert not re.search(rb'"msg_type": ?"(execute|debug|shutdown|input|error)', told)

    visiting(classroom, act)


@pytest.mark.parametrize(
    "message",
    [
        b"\xff" * 8,  # would be read for 600 years
        b"\x06" + bytes(7) + b"\xff" * 48 + b"{}",
        framed("shell", "kernel_info_request", {})[:-1],
        (8).to_bytes(8, "little") + bytes(8 * 8),
        b"",
    ],
)
def test_a_message_of_made_up_lengths_ends_its_own_connection_alone(
    classroom: str, message: bytes
) -> None:
    async def act(stranger: Stranger) -> None:
        await stranger.line.write_message(message, binary=True)
        while await asyncio.wait_for(stranger.line.read_message(), PATIENCE) is not None:
            pass
        assert stranger.line.close_code == 1008

    visiting(classroom, act)
    assert answers(classroom)


def test_what_python_decides_cannot_be_set(classroom: str) -> None:
    async def act(stranger: Stranger) -> None:
        states = await stranger.states()
        (stage,) = [name for name, held in states.items() if "place" in held["state"]]
        wished = {
            "patch_size": 10**9, "label": "<img src=x onerror=alert(1)>", "mode": "tap",
            "max_height": 1, "place": [40, 50],
        }  # fmt: skip
        told = {"comm_id": stage, "data": {"method": "update", "state": wished}}
        await stranger.say("shell", "comm_msg", told)
        now = (await stranger.states())[stage]["state"]
        assert now["place"] == [40, 50]
        before = states[stage]["state"]
        for name in ("patch_size", "label", "mode", "max_height"):
            assert now[name] == before[name] != wished[name]

    visiting(classroom, act)


def test_widgets_are_made_by_the_lesson_alone(classroom: str) -> None:
    async def act(stranger: Stranger) -> None:
        state = {
            "_model_module": "@jupyter-widgets/controls", "_model_module_version": "2.0.0",
            "_model_name": "FileUploadModel", "_view_module": "@jupyter-widgets/controls",
            "_view_module_version": "2.0.0", "_view_name": "FileUploadView",
        }  # fmt: skip
        opened = {"comm_id": "mine", "target_name": "jupyter.widget", "data": {"state": state}}
        await stranger.say("shell", "comm_open", opened, PROTOCOL)
        states = await stranger.states()
        assert states
        assert "mine" not in states

    visiting(classroom, act)


def test_every_widget_answers_when_it_is_asked_alone(classroom: str) -> None:
    async def act(stranger: Stranger) -> None:
        comms = set(await stranger.states())
        assert len(comms) > 50
        await stranger.ask_each(comms)

    visiting(classroom, act)


def test_one_lesson_has_few_connections(classroom: str) -> None:
    async def act(stranger: Stranger) -> None:
        lines = [await websocket_connect(stranger.address) for _ in range(3)]
        with pytest.raises(HTTPClientError, match="429"):
            await websocket_connect(stranger.address)
        for line in lines:
            await hang_up(line)

    visiting(classroom, act)
    assert answers(classroom)
