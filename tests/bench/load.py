"""A class at once: how long until everybody has a map, does anything fail, what does a seat cost?

``python -m tests.bench.load [--visitors 12] [--cores 2]`` starts the server of a class on so many
cores, opens the second lesson in as many headless pages at the same moment, lets everybody ask a
second question, and looks at the memory of every kernel. The browser runs on the same machine.
"""

from __future__ import annotations

import argparse
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Error, Page, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "browser"))

from conftest import CHROMIUM, FLAGS  # noqa: E402
from servers import environment, free_port  # noqa: E402

LESSON = "voila/render/lesson_2_what_is_pasted.ipynb"
LONGEST = 300.0
"""Seconds that twelve visitors wait at most for what all of them asked; more in proportion."""
SEATS, UNSEEN = 1000, 3600
"""Nobody is sent away: all browsers together have two cores, and connect very late."""
ENDING = 20.0
"""Seconds that the server has to end."""
RESTING = 10.0
"""Seconds after which a kernel has given back what a map needed."""
MEGA = 1024
SPARE = 0.8
"""Share of a machine's memory that kernels may take."""

WATCH = """
window.seen = {};
new MutationObserver(() => {
    const rows = [...document.querySelectorAll(".pdcr-row")].map((row) => row.textContent);
    if (!seen.map && document.querySelector(".pdcr-scale")) seen.map = performance.now() / 1000;
    if (!seen.mean && rows.some((row) => /Image mean\\u2212/.test(row)))
        seen.mean = performance.now() / 1000;
}).observe(document, { subtree: true, childList: true, characterData: true });
"""


@contextmanager
def classroom(cores: int, home: Path) -> Iterator[tuple[str, int]]:
    """Address and process of a class that is kept to a few cores."""
    port = free_port()
    command = [
        *(sys.executable, "-m", "pdcr_widgets.classroom", str(ROOT / "notebooks")),
        f"--seats={SEATS}",
        f"--ClassroomKernels.unseen={UNSEEN}",
    ]
    usable = sorted(os.sched_getaffinity(0))[:cores]
    with (home / "log").open("wb") as log, subprocess.Popen(
        [*command, f"--port={port}", f"--turns={cores}", "--Voila.port_retries=0"],
        env=environment(home), stdout=log, stderr=log,
        preexec_fn=lambda: os.sched_setaffinity(0, usable),
    ) as server:  # fmt: skip
        url = f"http://127.0.0.1:{port}/"
        try:
            _wait_for(url, server, home / "log")
            yield url, server.pid
        finally:
            server.terminate()
            try:
                server.wait(ENDING)
            except subprocess.TimeoutExpired:
                server.kill()


def _wait_for(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    from urllib.request import urlopen

    for _ in range(600):
        if server.poll() is not None:
            break
        try:
            with urlopen(url, timeout=10):
                return
        except OSError:
            time.sleep(0.2)
    raise SystemExit(f"the server did not start:\n{log.read_text()}")


class Visitor:
    """One page of its own browser profile."""

    def __init__(self, browser: Browser, patience: float) -> None:
        self.patience = patience
        self.errors: list[str] = []
        context = browser.new_context(viewport={"width": 1024, "height": 768})
        context.add_init_script(WATCH)
        self.page: Page = context.new_page()
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("response", self._hear)

    def _hear(self, response: object) -> None:
        status, url = response.status, response.url  # type: ignore[attr-defined]
        if status >= 400:
            self.errors.append(f"{status} {url}")

    def come(self, url: str) -> None:
        """Set out for a lesson, without waiting."""
        self.until = time.monotonic() + self.patience
        self.page.evaluate("url => { setTimeout(() => { location.href = url; }); }", url)

    def wait(self, what: str) -> float:
        """Seconds from setting out until something was seen; infinite if it never was."""
        try:
            self.page.wait_for_function(
                "what => window.seen && window.seen[what]",
                arg=what,
                timeout=max(1.0, 1000 * (self.until - time.monotonic())),
                polling=250,
            )
            return float(self.page.evaluate("what => window.seen[what]", what))
        except Error as error:
            shown = self.page.locator("body").inner_text()[:200].replace("\n", " ")
            self.errors.append(f"{what}: {str(error).splitlines()[0]}; the page says: {shown}")
            return float("inf")

    def ask(self) -> float:
        """Choose another baseline; when, on the page's clock."""
        self.until = time.monotonic() + self.patience
        self.page.get_by_role("button", name="Image mean", exact=True).click()
        return float(self.page.evaluate("performance.now() / 1000"))


def memory(process: int) -> dict[str, float]:
    """Memory of a process in MB: all, its share (PSS), and its own (USS)."""
    lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()[1:]
    sizes = {line.split(":")[0]: int(line.split()[1]) / MEGA for line in lines}
    own = sizes["Private_Clean"] + sizes["Private_Dirty"]
    return {"all": sizes["Rss"], "share": sizes["Pss"], "own": own}


def children(process: int) -> list[int]:
    """Processes that a process started."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(path.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
        if parent == process:
            found.append(int(path.parent.name))
    return found


def processor(process: int) -> float:
    """Seconds that a process has computed."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def kernels(server: int) -> list[int]:
    """Processes of the visitors' kernels: children of the nursery."""
    return [kernel for child in children(server) for kernel in children(child)]


def told(name: str, values: list[float], unit: str) -> str:
    """Write median, 95th percentile and maximum."""
    ordered = sorted(values)
    p95 = ordered[max(0, -(-len(ordered) * 95 // 100) - 1)]
    middle = statistics.median(ordered)
    return f"{name:<38}{middle:>9.1f}{p95:>9.1f}{ordered[-1]:>9.1f} {unit}"


def measure(browser: Browser, url: str, server: int, count: int, cores: int) -> list[str]:
    """Let a class in and write what came of it; errors last."""
    lines = [f"{'':<38}{'median':>9}{'p95':>9}{'max':>9}"]
    patience = LONGEST * max(1.0, count / 12)
    visitors = [Visitor(browser, patience) for _ in range(count)]
    for visitor in visitors:
        visitor.come(url + LESSON)
    began = processor(server)
    lines.append(told("first map, all at once", [v.wait("map") for v in visitors], "s"))
    serving = (processor(server) - began) / count
    computing = statistics.mean(processor(kernel) for kernel in kernels(server))
    ready = [visitor for visitor in visitors if not visitor.errors]
    asked = [visitor.ask() for visitor in ready]
    answered = [visitor.wait("mean") for visitor in ready]
    waited = [b - a for a, b in zip(asked, answered, strict=True)] or [float("inf")]
    lines.append(told("another baseline, all at once", waited, "s"))
    busy = [memory(kernel) for kernel in kernels(server)]
    time.sleep(RESTING)
    resting = [memory(kernel) for kernel in kernels(server)]
    for name, sizes in (("while computing", busy), ("at rest", resting)):
        for kind in ("share", "own"):
            label = f"memory of a kernel {name}, {'PSS' if kind == 'share' else 'USS'}"
            lines.append(told(label, [size[kind] for size in sizes], "MB"))
    lines.append(
        f"processor time for a first map: {serving:.2f} s in the server, {computing:.2f} s in the "
        f"kernel; {count} of them on {cores} cores of their own take "
        f"{count * (serving + computing) / cores:.0f} s"
    )
    base = memory(server)["all"] + sum(memory(child)["share"] for child in children(server))
    own = max(size["own"] for size in busy)
    total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / MEGA**2
    lines.append(f"server, nursery and launchers: {base:.0f} MB; kernels found: {len(resting)}")
    seats = int((SPARE * total - base) / own)
    lines.append(f"seats by memory on this machine of {total / MEGA:.0f} GB: {seats}")
    errors = [error for visitor in visitors for error in visitor.errors]
    lines.append(f"errors: {len(errors)}")
    return lines + errors


def main() -> int:
    """Measure and print; 1 where there was an error."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    options.add_argument("--visitors", type=int, default=12)
    options.add_argument("--cores", type=int, default=2)
    chosen = options.parse_args()
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url, server = stack.enter_context(classroom(chosen.cores, home))
        playwright = stack.enter_context(sync_playwright())
        import shutil

        names = (os.environ.get("CHROMIUM"), *CHROMIUM)
        found = next((path for name in names if name and (path := shutil.which(name))), None)
        browser = playwright.chromium.launch(executable_path=found, args=FLAGS)
        print(f"{chosen.visitors} visitors at once, server on {chosen.cores} cores")
        lines = measure(browser, url, server, chosen.visitors, chosen.cores)
        print("\n".join(lines))
        browser.close()
        log = re.findall(
            r".*(?:ERROR|CRITICAL).*|Traceback(?:.*\n)+?\S.*", (home / "log").read_text()
        )
        print("\n".join(log[:20]))
    return 0 if lines[-1] == "errors: 0" and not log else 1


if __name__ == "__main__":
    sys.exit(main())
