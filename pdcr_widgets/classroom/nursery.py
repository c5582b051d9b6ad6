"""Kernels by fork: one process loads everything once, and each visitor's kernel starts as its copy.

A kernel that starts the ordinary way spends seconds on importing torch and keeps its own copy of
it in memory. A forked one is there at once and shares the pages of what was loaded before, weights
included, until it writes to them. Needs Linux or another system with ``fork``.

A request is one line of JSON on a Unix socket, ``{"argv": [...], "env": {...}, "cwd": "..."}``; the
answer is the process number. The kernel lives as long as the connection.
"""

from __future__ import annotations

import atexit
import ctypes
import gc
import json
import os
import random
import signal
import socket
import sys
import threading
import time
import traceback
from functools import partial
from pathlib import Path
from typing import Any

from pdcr_widgets.classroom.launch import limit_memory

LONGEST_REQUEST = 1 << 20
RESTING = 3.0
"""Seconds between two looks at whether a kernel rests."""
IDLE = 0.1
"""Seconds of processor time in between up to which it does."""
WORTH = 0.04
"""Seconds of processor time since the last time after which memory may have gathered again."""


def load() -> None:
    """Import what lessons need and build the demo cases once, so that copies share them."""
    import ipykernel.kernelapp
    import torch

    torch.set_num_threads(1)
    import pdcr_widgets as pdcr

    for name in (*pdcr.__all__,):
        getattr(pdcr, name)
    for name in pdcr.demo.names():
        pdcr.demo.load(name)
    del ipykernel


def serve(path: str) -> None:
    """Answer requests until the process that started this one is gone.

    Parameters
    ----------
    path
        Of the Unix socket; its folder should be readable by its owner alone.
    """
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        os.chmod(path, 0o600)
        listener.listen(64)
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        _end_with_parent()
        gc.collect()
        gc.freeze()
        print("ready", flush=True)  # noqa: T201
        while True:
            connection, _ = listener.accept()
            try:
                _bear(connection, listener)
            except (OSError, ValueError, KeyError):
                traceback.print_exc()
            finally:
                connection.close()


def _bear(connection: socket.socket, listener: socket.socket) -> None:
    request = json.loads(_line(connection))
    child = os.fork()
    if child:
        connection.sendall(f"{child}\n".encode())
        return
    status = 1
    try:
        listener.close()
        _become_kernel(request, connection)
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(status)


def _line(connection: socket.socket) -> bytes:
    received = b""
    while not received.endswith(b"\n"):
        part = connection.recv(65536)
        if not part or len(received) > LONGEST_REQUEST:
            raise ValueError("the request for a kernel was cut off or is too long")
        received += part
    return received


def _become_kernel(request: dict[str, Any], connection: socket.socket) -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.setsid()
    os.environ.clear()
    os.environ.update(request["env"])
    os.chdir(request["cwd"])
    limit_memory()
    _new_chance()
    sys.argv = ["kernel", *request["argv"]]
    for watch in (partial(_end_with, connection), _stay_small):
        threading.Thread(target=watch, daemon=True).start()
    from ipykernel.kernelapp import IPKernelApp

    app: Any = IPKernelApp.instance()
    app.initialize(request["argv"])
    _connect_widgets()
    app.start()
    atexit._run_exitfuncs()


def _connect_widgets() -> None:
    """Let widgets talk to pages: ipywidgets was imported when there was no kernel yet.

    A library may have made a widget when it was imported. Its line leads nowhere, and a page that
    asks it for its state would wait for ever.
    """
    from comm import get_comm_manager
    from ipywidgets import register_comm_target
    from ipywidgets.widgets.widget import _instances

    register_comm_target()
    for widget in list(_instances.values()):
        get_comm_manager().unregister_comm(widget.comm)
        widget.comm = None
        widget.open()


def _new_chance() -> None:
    """Give the copy random states of its own."""
    import numpy as np
    import torch

    random.seed()
    np.random.seed(int.from_bytes(os.urandom(4), "little"))  # noqa: NPY002
    torch.seed()


def _end_with(connection: socket.socket) -> None:
    """End at once when the other side of the connection is gone."""
    while connection.recv(4096):
        pass
    os._exit(0)


def _stay_small() -> None:
    """Give memory back to the system whenever a computation has ended.

    The allocator keeps what an effect map needed, some 200 MB, which is a lot for thirty visitors.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    pause = threading.Event()
    trimmed = used = time.process_time()
    while trim is not None:
        pause.wait(RESTING)
        before, used = used, time.process_time()
        if used - before < IDLE and used - trimmed > WORTH:
            trim(0)
            trimmed = used = time.process_time()


def _end_with_parent() -> None:
    """End when standard input is closed: the server holds its other end."""

    def wait() -> None:
        while os.read(0, 4096):
            pass
        os._exit(0)

    threading.Thread(target=wait, daemon=True).start()


if __name__ == "__main__":
    load()
    serve(str(Path(sys.argv[1])))
