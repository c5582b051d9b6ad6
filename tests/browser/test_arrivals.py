"""A page that comes late: what it missed while it was loading, it is told when it is there."""

from __future__ import annotations

from pages import Site
from playwright.sync_api import expect
from watching import Watch

SOON_MS = 60_000

# A page asks for the state of all widgets, and drops what they say before it has built them. Here
# everything is said in between, so that it does not depend on how busy the machine is.
CHANGE = """
import ipywidgets as w
import pdcr_widgets as pdcr

answer = w.Widget._handle_control_comm_msg

def answer_too_late(message):
    comm, held = w.Widget._control_comm, []
    send, comm.send = comm.send, lambda *args, **options: held.append((args, options))
    answer(message)
    change()
    for args, options in held:
        send(*args, **options)

w.Widget._handle_control_comm_msg = answer_too_late
"""


def test_an_explorer_that_finished_while_its_page_was_loading_says_so(voila: Site) -> None:
    page = voila.open([
        CHANGE,
        "case = pdcr.demo.load('brain')\n"
        "session = pdcr.Session(case, with_layers=False, samples=4)\n"
        "explorer = pdcr.Explorer(session)\n"
        "session.wait(120)\n"
        "found, session.region = session.ate, None\n"
        "session.wait(120)\n"
        "def change():\n"
        "    session.restore(found)\n"
        "    explorer.canvas.label = 'told anew'\n"
        "explorer",
    ])  # fmt: skip
    expect(Watch(page).status).to_contain_text("Done", timeout=SOON_MS)
    expect(page.locator("canvas.pdcr-stage")).to_have_attribute("aria-label", "told anew")
    expect(page.get_by_role("button", name="Run", exact=True)).to_be_enabled()
    expect(page.locator(".pdcr-scale").first).to_be_visible()


def test_a_lesson_that_answered_while_its_page_was_loading_shows_it(voila: Site) -> None:
    page = voila.open([
        CHANGE,
        "lab = pdcr.lessons.BaselineLab(pdcr.demo.load('brain'))\n"
        "lab.session.wait(120)\n"
        "def change():\n"
        "    lab.baseline.value = 'mean'\n"
        "    lab.session.wait(120)\n"
        "lab",
    ])  # fmt: skip
    readout = page.locator(".pdcr-readout-area")
    expect(readout).to_contain_text("Image mean−19", timeout=SOON_MS)
    expect(page.locator(".pdcr-choice .mod-active")).to_have_text("Image mean")
