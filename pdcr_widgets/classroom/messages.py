"""What a page may say to its kernel: values of widgets, in messages that are what they claim to be.

One message with made-up lengths would keep the server, and with it the whole class, busy for ever:
the length of everything is checked before anything is taken apart.
"""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

from jupyter_server.services.kernels.connection.channels import ZMQChannelsWebsocketConnection
from tornado.web import HTTPError
from traitlets import Bool

V1 = "v1.kernel.websocket.jupyter.org"
WORD = 8
"""Bytes of a number in the head of a message."""
PARTS = 5
"""Channel, header, parent header, metadata and content; buffers follow."""
MOST_BUFFERS = 64
MOST_CONNECTIONS = 4
"""To one kernel: a page has one, and a second one while it reloads."""
CHANNEL = "shell"
MAY_ASK = frozenset(
    {"comm_open", "comm_close", "comm_msg", "comm_info_request", "kernel_info_request"}
)
MAY_OPEN = "jupyter.widget.control"
"""Asks for the state of all widgets. Widgets themselves are made by the lesson alone."""


class PageConnection(ZMQChannelsWebsocketConnection):
    """The connection of a page, which passes on what a page of the class may say.

    What else is well-formed is left out, as it is by Voila; what is not ends the connection.
    Nothing that a kernel says is left out: what a page misses it would never show.
    """

    limit_rate = Bool(False, config=True, help="Leave out what a kernel says too quickly.")

    async def prepare(self) -> None:
        """Refuse more connections than a page needs.

        Raises
        ------
        HTTPError
            The kernel has as many as it may.
        """
        kernels: Any = self.multi_kernel_manager
        if kernels._kernel_connections.get(self.kernel_id, 0) >= MOST_CONNECTIONS:
            raise HTTPError(429, "this lesson is open too often")
        await super().prepare()

    def handle_incoming_message(self, incoming_msg: Any) -> None:
        """Pass a message on, leave it out, or end the connection."""
        try:
            allowed = may_pass(incoming_msg, self.subprotocol == V1)
        except (ValueError, RecursionError) as failure:
            self.log.warning("A page sent what is no message: %s", failure)
            self.websocket_handler.close(1008, "not a message")
            return
        if allowed:
            super().handle_incoming_message(incoming_msg)


def may_pass(message: bytes | str, binary: bool) -> bool:
    """Whether a page may say this to its kernel.

    Parameters
    ----------
    message
        As it came.
    binary
        Whether it should be of Jupyter's binary protocol; else it should be JSON.

    Raises
    ------
    ValueError
        It is no message.
    """
    if isinstance(message, bytes) != binary:
        raise ValueError("it is not of the protocol that was agreed upon")
    channel, header, content = _taken_apart(message) if binary else _read(message)
    kind = header.get("msg_type")
    if channel != CHANNEL or kind not in MAY_ASK:
        return False
    return kind != "comm_open" or content.get("target_name") == MAY_OPEN


def _read(message: bytes | str) -> tuple[Any, dict[str, Any], dict[str, Any]]:
    told = _object(message)
    return told.get("channel"), _member(told, "header"), _member(told, "content")


def _taken_apart(message: Any) -> tuple[Any, dict[str, Any], dict[str, Any]]:
    """Channel, header and content of a message of the binary protocol."""
    count = int.from_bytes(message[:WORD], "little")
    if not PARTS < count <= PARTS + MOST_BUFFERS + 1 or len(message) < WORD * (count + 1):
        raise ValueError("it has too few parts, or too many")
    ends = [
        int.from_bytes(message[WORD * place : WORD * (place + 1)], "little")
        for place in range(1, count + 1)
    ]
    ordered = all(a <= b for a, b in pairwise(ends))
    if not ordered or ends[0] != WORD * (count + 1) or ends[-1] != len(message):
        raise ValueError("its parts do not lie one after the other")
    channel, header, _, _, content = (message[a:b] for a, b in pairwise(ends[: PARTS + 1]))
    return channel.decode("utf-8"), _object(header), _object(content)


def _object(text: bytes | str) -> dict[str, Any]:
    found = json.loads(text)
    if not isinstance(found, dict):
        raise ValueError("a part of it is no object")
    return found


def _member(told: dict[str, Any], name: str) -> dict[str, Any]:
    found = told.get(name)
    if not isinstance(found, dict):
        raise ValueError(f"it has no {name}")
    return found
