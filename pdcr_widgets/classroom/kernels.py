"""Kernels of a class: quick to start, few enough, and gone when their visitor is."""

from __future__ import annotations

import asyncio
import os
import sys
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from jupyter_client.kernelspec import KernelSpec, KernelSpecManager, NoSuchKernel
from jupyter_server.services.kernels.kernelmanager import AsyncMappingKernelManager
from tornado.web import HTTPError
from traitlets import Dict, Float, Int

LAUNCH = Path(__file__).with_name("launch.py")
NAME = "python3"
STARTED: ContextVar[list[str] | None] = ContextVar("kernels started by a request", default=None)
"""Numbers of the kernels that the present request has started."""


class OneKernelSpec(KernelSpecManager):
    """The only kind of kernel there is: one from the nursery."""

    def find_kernel_specs(self) -> dict[str, str]:
        """Name the one kind."""
        return {NAME: str(LAUNCH.parent)}

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        """Describe the one kind.

        Raises
        ------
        NoSuchKernel
            For any other name.
        """
        if kernel_name != NAME:
            raise NoSuchKernel(kernel_name)
        argv = [sys.executable, "-S", "-E", str(LAUNCH), "-f", "{connection_file}"]
        return KernelSpec(argv=argv, display_name="Python 3", language="python")


class ClassroomKernels(AsyncMappingKernelManager):
    """Ends a kernel a few seconds after its page is gone, and refuses more than there are seats.

    What a browser sends with its request never reaches a kernel: each gets the same environment.
    """

    seats = Int(30, min=1, help="Kernels at most.").tag(config=True)
    patience = Float(
        5.0, min=0, help="Seconds after which a kernel without a page ends; a reload takes fewer."
    ).tag(config=True)
    unseen = Float(
        120.0, min=0, help="Seconds that a page has to connect to its kernel at first."
    ).tag(config=True)
    kernel_env = Dict({}, help="What kernels find in their environment besides the server's.")

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._leaving: dict[str, asyncio.Task[None]] = {}
        self._arriving = 0

    async def _async_start_kernel(self, **kwargs: Any) -> str:
        if len(self) + self._arriving >= self.seats:
            raise HTTPError(503, f"All {self.seats} seats are taken. Try again in a minute.")
        self._arriving += 1
        try:
            kwargs["env"] = {**os.environ, **self.kernel_env}
            kernel: str = await super()._async_start_kernel(**kwargs)
        finally:
            self._arriving -= 1
        if (started := STARTED.get()) is not None:
            started.append(kernel)
        self.expect(kernel, self.unseen)
        return kernel

    start_kernel = _async_start_kernel  # type: ignore[assignment]

    def notify_connect(self, kernel_id: str) -> None:
        """Note that a page is there."""
        super().notify_connect(kernel_id)
        if (task := self._leaving.pop(kernel_id, None)) is not None:
            task.cancel()

    def notify_disconnect(self, kernel_id: str) -> None:
        """Note that a page is gone; without another one the kernel ends soon."""
        super().notify_disconnect(kernel_id)
        if self._kernel_connections.get(kernel_id, 1) <= 0:
            self.expect(kernel_id, self.patience)

    def expect(self, kernel_id: str, seconds: float) -> None:
        """End a kernel after some time, unless a page connects to it before."""
        if (task := self._leaving.pop(kernel_id, None)) is not None:
            task.cancel()
        if kernel_id in self:
            self._leaving[kernel_id] = asyncio.create_task(self._end(kernel_id, seconds))

    async def _end(self, kernel_id: str, seconds: float) -> None:
        await asyncio.sleep(seconds)
        self._leaving.pop(kernel_id, None)
        if kernel_id in self and self._kernel_connections.get(kernel_id, 0) <= 0:
            self.log.info("Kernel %s: its visitor has left", kernel_id)
            await self.shutdown_kernel(kernel_id, now=True)
