"""Voila, set up for a class and for strangers."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

from traitlets import Bool, Int
from traitlets.config import Config
from voila.app import Voila
from voila.shutdown_kernel_handler import VoilaShutdownKernelHandler
from voila.tornado.contentshandler import VoilaContentsHandler
from voila.tornado.handler import TornadoVoilaHandler
from voila.tornado.treehandler import TornadoVoilaTreeHandler

from pdcr_widgets.classroom.kernels import ClassroomKernels, OneKernelSpec
from pdcr_widgets.classroom.launch import MEMORY, NURSERY
from pdcr_widgets.classroom.messages import PageConnection
from pdcr_widgets.classroom.pages import IndexPage, LeavePage, LessonPage
from pdcr_widgets.classroom.usher import Usher
from pdcr_widgets.turns import USHER

TEMPLATES = str(Path(__file__).with_name("templates"))
REPLACED = {TornadoVoilaHandler: LessonPage, VoilaShutdownKernelHandler: LeavePage}
REMOVED = (VoilaContentsHandler, TornadoVoilaTreeHandler)
ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "MALLOC_ARENA_MAX")
"""What is set to 1 for kernels: computing threads, and places where freed memory waits."""
LARGEST_MESSAGE = 1 << 20
"""Bytes of one message from a page; a region of 1024 x 1024 pixels is an eighth of it."""
LARGEST_BODY = 1 << 16
"""Bytes of the body of a request: nothing is uploaded."""
PATIENCE = 180
"""Seconds to wait for a kernel, and for what a cell shows; 60 and 4 by default.

When a class arrives at once, outputs come later than that, and pages without their experiment.
"""
SETTINGS = Config(
    {
        "KernelManager": {"transport": "ipc"},
        "Voila": {
            "ip": "127.0.0.1",
            "kernel_websocket_connection_class": PageConnection,
            "open_browser": False,
        },
        "VoilaConfiguration": {
            "allow_template_override": "NO",
            "extension_denylist": ["@jupyter-notebook/lab-extension"],
            "file_allowlist": [],
            "kernel_spec_manager_class": OneKernelSpec,
            "multi_kernel_manager_class": ClassroomKernels,
            "show_tracebacks": False,
            "strip_sources": True,
        },
        "VoilaExecutor": {"iopub_timeout": PATIENCE, "startup_timeout": PATIENCE},
    }
)


class Classroom(Voila):
    """Serves the lessons in a folder: a list of them, and one kernel for each open page."""

    name = "classroom"
    description = "Serve the lessons in a folder of notebooks to a class."
    examples = "python -m pdcr_widgets.classroom notebooks --seats=30"
    classes: ClassVar = [*Voila.classes, ClassroomKernels]
    aliases: ClassVar = {
        **Voila.aliases,
        "seats": "ClassroomKernels.seats",
        "patience": "ClassroomKernels.patience",
        "turns": "Classroom.turns",
        "memory": "Classroom.memory",
        "ip": "Voila.ip",
    }

    turns = Int(
        max(1, os.cpu_count() or 1), min=1, help="How many visitors' steps are computed at once."
    ).tag(config=True)
    memory = Int(
        1000, min=100, help="MB that a visitor's computations may take; more is an error there."
    ).tag(config=True)
    nursery = Bool(
        hasattr(os, "fork"), help="Start kernels as copies of one process that has loaded all."
    ).tag(config=True)

    def initialize(self, argv: Any = None) -> None:
        """Read the settings; the command line has the last word."""
        self.update_config(SETTINGS)
        super().initialize(argv)

    def setup_template_dirs(self) -> None:
        """Put the pages of the class before those of Voila."""
        super().setup_template_dirs()
        self.template_paths.insert(0, TEMPLATES)

    def init_settings(self) -> Any:
        """Give kernels one thread each, their queue and their nursery."""
        settings = super().init_settings()
        self.kernel_manager.kernel_env = {
            **dict.fromkeys(ONE_THREAD, "1"),
            USHER: self._usher.path,
            NURSERY: self._nursery_path,
            MEMORY: str(self.memory),
        }
        settings["websocket_max_message_size"] = LARGEST_MESSAGE
        return settings

    def init_handlers(self) -> Any:
        """Offer the list and the lessons; no files, no folders, no contents."""
        index = (self.server_url, IndexPage)
        rules = [rule for rule in super().init_handlers() if rule[1] not in REMOVED]
        return [index, *(_replaced(rule) for rule in rules)]

    def listen(self) -> None:
        """Take no large requests."""
        self.app.listen = partial(self.app.listen, max_body_size=LARGEST_BODY)
        super().listen()

    def start(self) -> None:
        """Serve until stopped."""
        with tempfile.TemporaryDirectory(prefix="classroom-") as folder:
            self._usher = Usher(f"{folder}/usher", self.turns)
            self._nursery_path = f"{folder}/nursery"
            nursery = self._start_nursery() if self.nursery else None
            try:
                super().start()
            finally:
                self._usher.close()
                if nursery is not None and nursery.stdin is not None:
                    nursery.stdin.close()
                    nursery.wait()

    def _start_nursery(self) -> subprocess.Popen[bytes]:
        """Start it and wait until it is ready, so that the first visitor need not."""
        self.log.info("Loading networks and libraries once for all visitors ...")
        command = [sys.executable, "-m", "pdcr_widgets.classroom.nursery", self._nursery_path]
        env = {**os.environ, **dict.fromkeys(ONE_THREAD, "1")}
        nursery = subprocess.Popen(
            command, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
        )
        if nursery.stdout is None or nursery.stdout.readline() != b"ready\n":
            self.log.error("There is no nursery: kernels start the slow way.")
        return nursery


def _replaced(rule: Any) -> Any:
    pattern, handler, *rest = rule
    return (pattern, REPLACED.get(handler, handler), *rest)
