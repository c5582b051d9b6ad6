"""Kernels of a class: from the nursery, with a clean environment, few enough, and ended in time."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jupyter_client.kernelspec import NoSuchKernel
from jupyter_client.manager import KernelManager
from tornado.web import HTTPError

from pdcr_widgets.classroom.kernels import ClassroomKernels, OneKernelSpec
from pdcr_widgets.classroom.launch import MEMORY, NURSERY

SECONDS = 60


@pytest.fixture(scope="module")
def nursery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Path of a nursery's socket."""
    path = str(tmp_path_factory.mktemp("nursery") / "socket")
    command = [sys.executable, "-m", "pdcr_widgets.classroom.nursery", path]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        assert process.stdout.readline() == b"ready\n"
        yield path
        process.stdin.close()
        assert process.wait(SECONDS) == 0


class Kernel:
    """One kernel, as the server starts it."""

    def __init__(self, folder: Path, nursery: str, **told: str) -> None:
        self.manager = KernelManager(
            kernel_spec_manager=OneKernelSpec(), transport="ipc", connection_file=str(folder / "k")
        )
        self.manager.start_kernel(env={**os.environ, NURSERY: nursery, "WHO": "visitor", **told})
        self.client = self.manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=SECONDS)

    def run(self, code: str) -> str:
        told: list[str] = []

        def hear(message: dict[str, Any]) -> None:
            content = message["content"]
            told.append(content.get("text") or "\n".join(content.get("traceback", [])))

        self.client.execute_interactive(code, output_hook=hear, timeout=SECONDS)
        return "".join(told).strip()

    def end(self) -> None:
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)
        self.manager.cleanup_resources()


@pytest.fixture
def kernel(tmp_path: Path, nursery: str) -> Iterator[Kernel]:
    made = Kernel(tmp_path, nursery)
    yield made
    made.end()


def gone(process: int) -> bool:
    """Whether a process ends within a minute; one that nobody has collected yet has ended."""
    pause = threading.Event()
    for _ in range(SECONDS * 20):
        try:
            state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return True
        if state == "Z":
            return True
        pause.wait(0.05)
    return False


def test_a_kernel_of_the_nursery_has_all_loaded_and_widgets_work(kernel: Kernel) -> None:
    told = kernel.run(
        "import sys, os\n"
        "had = all(n in sys.modules for n in ('torch', 'pdcr_widgets.lessons', 'nilearn'))\n"
        "import pdcr_widgets as pdcr\n"
        "targets = get_ipython().kernel.comm_manager.targets\n"
        "print(had, os.environ['WHO'], 'jupyter.widget.control' in targets)\n"
        "question = pdcr.lessons.Question('?', {'a': 'b', 'c': 'd'}, 'a')\n"
        "print(question.comm is not None)"
    )
    assert told.split() == ["True", "visitor", "True", "True"]


def test_two_kernels_draw_different_numbers(kernel: Kernel, tmp_path: Path, nursery: str) -> None:
    code = "import random, numpy, torch; print(random.random(), numpy.random.rand(), torch.rand(1))"
    folder = tmp_path / "other"
    folder.mkdir()
    other = Kernel(folder, nursery)
    assert not set(kernel.run(code).split()) & set(other.run(code).split())
    other.end()


def test_a_kernel_ends_with_what_the_server_started(tmp_path: Path, nursery: str) -> None:
    kernel = Kernel(tmp_path, nursery)
    process = int(kernel.run("import os; print(os.getpid())"))
    assert process != kernel.manager.provisioner.pid
    os.kill(kernel.manager.provisioner.pid, 9)
    assert gone(process)
    kernel.end()


SERVER = """
import os, subprocess, sys
from pdcr_widgets.classroom.kernels import LAUNCH
kernel = subprocess.Popen(
    [sys.executable, "-S", "-E", str(LAUNCH), "-f", sys.argv[1]],
    env={**os.environ, "JPY_PARENT_PID": str(os.getpid())},
    start_new_session=True,
)
print(kernel.pid, flush=True)
sys.stdin.read()
"""


def test_a_kernel_ends_with_a_server_that_was_killed(tmp_path: Path, nursery: str) -> None:
    command = [sys.executable, "-c", SERVER, str(tmp_path / "connection.json")]
    with subprocess.Popen(
        command, env={**os.environ, NURSERY: nursery}, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as server:
        assert server.stdout is not None
        launcher = int(server.stdout.readline())
        server.kill()
    assert gone(launcher)


def test_without_a_nursery_an_ordinary_kernel_starts(tmp_path: Path) -> None:
    kernel = Kernel(tmp_path, str(tmp_path / "nowhere"))
    assert kernel.run("print(6 * 7)") == "42"
    kernel.end()


@pytest.mark.parametrize("born", [True, False])
def test_a_kernel_that_asks_for_too_much_is_refused_and_goes_on(
    tmp_path: Path, nursery: str, born: bool
) -> None:
    where = nursery if born else str(tmp_path / "nowhere")
    kernel = Kernel(tmp_path, where, **{MEMORY: "300"})
    assert kernel.run("import numpy as np; print(np.ones(100 * 2**17).sum())") == "13107200.0"
    assert "MemoryError" in kernel.run("np.ones(3000 * 2**17)")
    assert "can't allocate memory" in kernel.run("import torch; torch.ones(3000 * 2**18)")
    assert kernel.run("print(6 * 7)") == "42"
    kernel.end()


def test_there_is_one_kind_of_kernel() -> None:
    spec = OneKernelSpec()
    assert list(spec.find_kernel_specs()) == ["python3"]
    with pytest.raises(NoSuchKernel):
        spec.get_kernel_spec("../../bin/sh")


def test_seats_patience_and_what_a_visitor_sent(nursery: str, tmp_path: Path) -> None:
    async def visit() -> None:
        kernels = ClassroomKernels(
            kernel_spec_manager=OneKernelSpec(), connection_dir=str(tmp_path), seats=1,
            patience=0.0, root_dir=str(tmp_path), kernel_env={NURSERY: nursery, "CLASS": "yes"},
        )  # fmt: skip
        first = await kernels.start_kernel(kernel_name="python3", env={"QUERY_STRING": "<img>"})
        process = kernels.get_kernel(first).provisioner.pid
        environment = Path(f"/proc/{process}/environ").read_text()
        assert "CLASS=yes" in environment
        assert "QUERY_STRING" not in environment
        with pytest.raises(HTTPError, match="All 1 seats are taken"):
            await kernels.start_kernel(kernel_name="python3")
        kernels.notify_connect(first)
        kernels.notify_disconnect(first)
        leaving = kernels._leaving[first]
        kernels.notify_connect(first)  # a reload: the page is back before the kernel ends
        await asyncio.wait([leaving])
        assert first in kernels
        kernels.notify_disconnect(first)
        await kernels._leaving[first]
        assert first not in kernels
        second = await kernels.start_kernel(kernel_name="python3")
        await kernels.shutdown_kernel(second, now=True)

    asyncio.run(visit())
