"""Start and end the servers that browser tests look at: JupyterLab with Notebook 7, and Voila."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

START_SECONDS = 90
STOP_SECONDS = 20
NEWS = "@jupyterlab/apputils-extension:announcements"
TRACKER = "@jupyterlab/notebook-extension/tracker"


def free_port() -> int:
    """Port on 127.0.0.1 that nobody listened on a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _write(path: Path, content: dict[str, object]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))


def environment(home: Path) -> dict[str, str]:
    """Environment of a server that neither reads nor writes the user's Jupyter settings."""
    config = home / "config"
    _write(config / "labconfig" / "page_config.json", {"disabledExtensions": {NEWS: True}})
    _write(home / "settings" / f"{TRACKER}.jupyterlab-settings", {"windowingMode": "none"})
    return os.environ | {
        "JUPYTER_CONFIG_DIR": str(config),
        "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
        "JUPYTER_DATA_DIR": str(home / "data"),
        "JUPYTERLAB_SETTINGS_DIR": str(home / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(home / "workspaces"),
        "IPYTHONDIR": str(home / "ipython"),
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
    }


def lab_command(port: int, notebooks: Path) -> list[str]:
    """JupyterLab that also serves Notebook 7; open to everybody, on the loopback address only."""
    return [
        *(sys.executable, "-m", "jupyterlab"),
        "--no-browser",
        "--allow-root",
        "--expose-app-in-browser",
        "--ip=127.0.0.1",
        f"--port={port}",
        "--ServerApp.port_retries=0",
        f"--ServerApp.root_dir={notebooks}",
        "--IdentityProvider.token=",
        "--ServerApp.password=",
        "--ServerApp.disable_check_xsrf=True",
        "--LabApp.news_url=None",
        "--JupyterNotebookApp.expose_app_in_browser=True",
    ]


def voila_command(port: int, notebooks: Path) -> list[str]:
    """Voila on a folder of notebooks."""
    return [
        *(sys.executable, "-m", "voila"),
        str(notebooks),
        "--no-browser",
        "--Voila.ip=127.0.0.1",
        f"--port={port}",
        "--Voila.port_retries=0",
        "--VoilaConfiguration.show_tracebacks=True",
        "--VoilaConfiguration.extension_denylist=@jupyter-notebook/lab-extension",
    ]


@contextmanager
def serving(command: list[str], url: str, home: Path) -> Iterator[str]:
    """Run a server until the block ends; fail with its own words when it does not come up."""
    log = home / "server.log"
    with log.open("wb") as sink:
        server = subprocess.Popen(
            command,
            env=environment(home),
            cwd=home,
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        _wait_until_up(server, url, log)
        yield url
    finally:
        _end(server)


def _wait_until_up(server: subprocess.Popen[bytes], url: str, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    pause = threading.Event()
    while time.monotonic() < deadline:
        if server.poll() is not None:
            break
        try:
            with urllib.request.urlopen(url, timeout=10):
                return
        except OSError:
            pause.wait(0.2)
    raise RuntimeError(f"no answer from {url}; the server said:\n{log.read_text()[-4000:]}")


def _end(server: subprocess.Popen[bytes]) -> None:
    """End the server and the kernels in its process group."""
    server.send_signal(signal.SIGTERM)
    try:
        server.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()
    try:
        os.killpg(server.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
