"""How fast the region canvas feels: measured in a real browser, printed as a table.

Run with ``make bench-ui``. All times are in milliseconds, from the event to after the frame in
which it was painted.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
from playwright.sync_api import Page, sync_playwright

sys.path.insert(0, str(Path(__file__).parents[1] / "browser"))

from conftest import CHROMIUM, FLAGS
from pages import Site, run_all
from servers import free_port, lab_command, serving

CANVAS = """
import threading, time
import numpy as np, torch
import pdcr_widgets as pdcr
rng = np.random.default_rng(0)
canvas = pdcr.RegionCanvas(rng.random((512, 512), dtype="float32"), tool="brush", brush_size=25)
busy = threading.Event()

def compute():
    model, x = torch.nn.Conv2d(16, 16, 3), torch.rand(8, 16, 256, 256)
    while busy.is_set():
        with torch.inference_mode():
            model(x)

def feed(seconds):
    'Sends maps, two of them unpainted at most; tells the rate and the lag.'
    region = np.zeros((512, 512), bool); region[:8, :8] = True
    grid, errors = (64, 64), np.ones((64, 64), "float32")
    maps = [pdcr.ATEMap(rng.normal(size=grid).astype("float32"), errors, errors.astype(int),
                        90.0, 1, 8, region) for _ in range(3)]
    room, sent, lags = threading.Semaphore(2), {}, []
    def painted(identity):
        for number in [n for n in list(sent) if n <= identity]:
            start = sent.pop(number)
            if number == identity:
                lags.append(time.perf_counter() - start)
            room.release()
    canvas.on_ack(painted)
    def run():
        end = time.perf_counter() + seconds
        number = 0
        while time.perf_counter() < end:
            if room.acquire(timeout=1):
                start = time.perf_counter()
                number += 1
                sent[number] = start
                canvas.show_effect(maps[number % 3])
        rate.append((len(lags) / seconds, [1000 * lag for lag in lags]))
    rate = []
    threading.Thread(target=run, daemon=True).start()
    return rate
"""
VOLUME = """
steps = np.arange(60, dtype="int16")[:, None, None] * 16
viewer = pdcr.SliceViewer(np.broadcast_to(steps, (60, 512, 512)), window=(0.0, 960.0), index=0)
"""
MOVES = """() => {
    window.samples = [];
    document.querySelector(".pdcr-stage").addEventListener("pointermove", (event) => {
        const channel = new MessageChannel();
        channel.port1.onmessage = () => window.samples.push(performance.now() - event.timeStamp);
        requestAnimationFrame(() => channel.port2.postMessage(0));
    });
}"""
SLICE = """async (index) => {
    const root = document.querySelectorAll(".pdcr-canvas")[1];
    const stage = root.querySelector(".pdcr-stage");
    const context = stage.getContext("2d");
    const grey = () => context.getImageData(stage.width / 2, stage.height / 3, 1, 1).data[0];
    const wanted = Math.round((index * 16 * 255) / 960);
    const slider = root.querySelector(".pdcr-slices input");
    const start = performance.now();
    slider.value = index;
    slider.dispatchEvent(new Event("input"));
    while (Math.abs(grey() - wanted) > 1) {
        await new Promise((next) => requestAnimationFrame(next));
    }
    return performance.now() - start;
}"""
EXECUTE = """(code) => {
    const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
    const future = kernel.requestExecute({ code, store_history: false });
    let printed = "";
    future.onIOPub = ({ header, content }) => {
        if (header.msg_type === "stream") printed += content.text;
    };
    const done = future.done.then(() => printed);
    return WAIT ? done : null;
}"""


def execute(page: Page, code: str, wait: bool = True) -> str:
    return str(page.evaluate(EXECUTE.replace("WAIT", "true" if wait else "false"), code))


def row(what: str, values: list[float], target: str) -> None:
    median, high = np.percentile(values, [50, 95])
    print(f"{what:<52}{median:8.1f}{high:8.1f}   {target}", flush=True)


def drag(page: Page) -> list[float]:
    """Draw with the brush for a while."""
    box = page.locator(".pdcr-stage").first.bounding_box()
    assert box is not None
    page.evaluate("() => { window.samples = []; }")
    angles = np.linspace(0, 6 * np.pi, 150)
    xs = box["x"] + box["width"] * (0.5 + 0.3 * np.cos(angles))
    ys = box["y"] + box["height"] * (0.5 + 0.3 * np.sin(angles))
    page.mouse.move(xs[0], ys[0])
    page.mouse.down()
    for x, y in zip(xs, ys, strict=True):
        page.mouse.move(x, y)
    page.mouse.up()
    return [float(sample) for sample in page.evaluate("() => window.samples")]


def pointer(page: Page) -> None:
    target = "20 median, 40 p95 at most"
    page.evaluate(MOVES)
    row("pointer move to paint, kernel idle", drag(page), target)
    execute(page, "busy.set(); threading.Thread(target=compute, daemon=True).start()")
    row("pointer move to paint, kernel computing on a thread", drag(page), target)
    execute(page, "busy.clear()")
    execute(page, "threading.Event().wait(8)", wait=False)
    row("pointer move to paint, kernel blocked by a cell", drag(page), target)


def maps(page: Page) -> None:
    seconds = 6
    execute(page, f"rate = feed({seconds})")
    told: list[str] = []
    while not told:
        threading.Event().wait(0.5)
        told = execute(page, "if rate: print(rate[0][0], *rate[0][1])").split()
    row("map of 64 x 64 patches on 512 x 512 sent to paint", [float(lag) for lag in told[1:]], "")
    print(f"{'such maps shown a second':<52}{float(told[0]):8.1f}", end="")
    print(f"{'':8}   30 at least", flush=True)


def slices(page: Page) -> None:
    far = [page.evaluate(SLICE, index) for index in (30, 8, 50, 20, 40, 3, 57, 14, 25, 45)]
    row("slice change to paint, any slice", far, "60 median at most")
    near = [page.evaluate(SLICE, index) for index in range(46, 60)]
    row("slice change to paint, the next slice", near, "60 median at most")


def measure(open_site: Callable[[Page], Site]) -> None:
    found = next(
        (p for n in (os.environ.get("CHROMIUM"), *CHROMIUM) if n and (p := shutil.which(n))), None
    )
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=FLAGS)
        page = browser.new_page(viewport={"width": 1280, "height": 1400})
        open_site(page).open([CANVAS, "canvas", VOLUME, "viewer"])
        page.locator(".pdcr-stage").nth(1).wait_for()
        page.locator(".pdcr-stage").first.scroll_into_view_if_needed()
        print(f"{'milliseconds':<52}{'median':>8}{'p95':>8}   wanted")
        pointer(page)
        maps(page)
        slices(page)
        browser.close()


def main() -> None:
    port = free_port()
    with tempfile.TemporaryDirectory() as home:
        folder = Path(home) / "notebooks"
        folder.mkdir()
        address = f"http://127.0.0.1:{port}/"
        with serving(lab_command(port, folder), f"{address}api", Path(home)):
            measure(lambda page: Site(f"{address}lab/tree/", folder, page, run_all))


if __name__ == "__main__":
    main()
