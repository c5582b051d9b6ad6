"""The pages of a class: a list of the lessons, and each lesson. Nothing else can be asked for."""

from __future__ import annotations

from typing import Any

from jupyter_server.base.handlers import JupyterHandler
from tornado.web import HTTPError, authenticated
from voila.tornado.handler import TornadoVoilaHandler

from pdcr_widgets.classroom.kernels import STARTED
from pdcr_widgets.lessons import LESSONS

THEMES = ("light", "dark")
PAGES = frozenset(f"{name}.ipynb" for name in LESSONS)
YEAR = 365


class Themed(JupyterHandler):
    """A page that is light or dark, as was asked for last; anything else is refused."""

    @property
    def theme(self) -> str:
        """The theme of this request; remembered in a cookie."""
        asked = self.get_query_argument("theme", "")
        if asked and asked not in THEMES:
            raise HTTPError(400, "theme must be light or dark")
        known = self.get_cookie("theme", "")
        return asked or (known if known in THEMES else THEMES[0])

    def keep_theme(self) -> None:
        """Remember the theme."""
        path = self.settings["base_url"]
        self.set_cookie("theme", self.theme, path=path, expires_days=YEAR, samesite="Lax")

    def set_default_headers(self) -> None:
        """Let nobody guess types, frame the pages or learn addresses."""
        super().set_default_headers()
        self.set_header("X-Content-Type-Options", "nosniff")
        self.set_header("Referrer-Policy", "same-origin")


class IndexPage(Themed):
    """The list of lessons; costs no kernel."""

    @authenticated
    def get(self) -> None:
        """Write it."""
        self.keep_theme()
        self.write(
            self.settings["voila_jinja2_env"]
            .get_template("lessons.html")
            .render(lessons=LESSONS, theme=self.theme, base_url=self.settings["base_url"])
        )


class LessonPage(Themed, TornadoVoilaHandler):
    """A lesson, run on a kernel of its own, which ends when the page is closed half-way."""

    def get_argument(self, name: str, *args: Any, **kwargs: Any) -> Any:
        """Give the theme, and nothing else that a visitor may have written into the address."""
        return self.theme if name == "theme" else None

    async def get(self, path: str | None = None) -> None:
        """Write it."""
        if path not in PAGES:
            raise HTTPError(404)
        self.keep_theme()
        self._started: list[str] = []
        STARTED.set(self._started)
        await TornadoVoilaHandler.get(self, path=path)

    def on_connection_close(self) -> None:
        """End the kernel of a page that was closed before it was complete."""
        super().on_connection_close()
        kernels: Any = self.kernel_manager
        for kernel in getattr(self, "_started", ()):
            kernels.expect(kernel, 0.0)


class LeavePage(JupyterHandler):
    """Takes a page's farewell: it sends its kernel's number when it is closed.

    Nothing happens to a kernel whose page is still connected, so that nobody's page can be made to
    end another's, and no token is needed.
    """

    def check_xsrf_cookie(self) -> None:
        """Ask for none: a page that is being closed cannot send one."""

    @authenticated
    def post(self, kernel: str) -> None:
        """Expect the page's connection to end."""
        kernels: Any = self.kernel_manager
        kernels.expect(kernel, kernels.patience)
        self.set_status(204)
