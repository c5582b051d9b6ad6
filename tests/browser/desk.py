"""One notebook in JupyterLab that many tests use: its kernel and its page are started once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pages import ACT_MS, RUN_MS, Site
from playwright.sync_api import Page

LIGHT = "JupyterLab Light"
THEME = "theme => window.jupyterapp.commands.execute('apputils:change-theme', { theme })"
RERUN = """async (sources) => {
    const { commands, shell } = window.jupyterapp;
    const { content } = shell.currentWidget;
    const shared = content.model.sharedModel;
    shared.transact(() => {
        shared.deleteCellRange(0, shared.cells.length);
        shared.insertCells(0, sources.map((source) => ({ cell_type: "code", source })));
    });
    await commands.execute("notebook:run-all-cells");
    return [...content.model.cells].map((cell) => cell.executionCount !== null);
}"""


@dataclass
class Desk:
    """A notebook that is cleared and filled again for every test."""

    page: Page
    site: Site
    opened: bool = False

    def open(self, cells: Sequence[str]) -> Page:
        """Put cells into the notebook and run them; the kernel knows those of earlier tests."""
        if not self.opened:
            self.opened = True
            return self.site.open(cells)
        self.page.mouse.up()
        self.page.mouse.move(0, 0)
        self.page.set_default_timeout(RUN_MS)
        ran = self.page.evaluate(RERUN, list(cells))
        self.page.set_default_timeout(ACT_MS)
        assert ran == [True] * len(cells), f"not every cell ran: {ran}"
        return self.page

    def change_theme(self, theme: str = LIGHT) -> None:
        """Show JupyterLab in another theme."""
        self.page.evaluate(THEME, theme)
