"""What the server starts as a kernel: asks the nursery for one and lives as long as it does.

Imports next to nothing, so that it costs a few megabytes. Where there is no nursery, it becomes an
ordinary kernel.
"""

import json
import os
import signal
import socket
import sys

NURSERY = "PDCR_NURSERY"
LOOK = 1.0
"""Seconds between two looks at whether the server is still there."""


def main(argv: list[str]) -> int:
    """Get a kernel with these arguments and wait for its end."""
    path = os.environ.get(NURSERY, "")
    try:
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(path)
        request = {"argv": argv, "env": dict(os.environ), "cwd": os.getcwd()}
        connection.sendall(json.dumps(request).encode() + b"\n")
        answer = connection.recv(64)
    except OSError:
        answer = b""
    if not answer:
        os.execv(sys.executable, [sys.executable, "-m", "ipykernel_launcher", *argv])
    kernel = int(answer)
    signal.signal(signal.SIGINT, lambda *_: os.kill(kernel, signal.SIGINT))
    server = int(os.environ.get("JPY_PARENT_PID") or os.getppid())
    connection.settimeout(LOOK)
    while os.getppid() == server:
        try:
            if not connection.recv(64):
                break
        except TimeoutError:
            continue
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
