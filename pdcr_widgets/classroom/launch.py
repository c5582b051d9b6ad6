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
MEMORY = "PDCR_MEMORY"
"""Environment variable with the MB that a kernel may take on top of what it begins with."""
LOADING = 2000
"""MB that an ordinary kernel needs for what it loads."""
LOOK = 1.0
"""Seconds between two looks at whether the server is still there."""


def limit_memory(besides: int = 0) -> None:
    """Let this process take so many MB more than it has, and so many besides, where it is told to.

    What asks for more fails there, instead of on the whole machine.
    """
    allowed = os.environ.get(MEMORY)
    try:
        import resource

        with open("/proc/self/status") as status:
            (held,) = (int(line.split()[1]) for line in status if line.startswith("VmData"))
    except (ImportError, OSError, ValueError):
        return
    if allowed:
        most = held * 1024 + (int(allowed) + besides) * 2**20
        resource.setrlimit(resource.RLIMIT_DATA, (most, most))


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
        limit_memory(LOADING)
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
