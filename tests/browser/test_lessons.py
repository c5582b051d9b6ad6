"""The five lessons as a student meets them, on a tablet and on a desk."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from lesson_pages import NOTEBOOKS, LessonPage, classroom_command
from pages import ACT_MS, Console, Site, stay_here
from playwright.sync_api import Browser, Page, expect
from servers import free_port, serving

SOON_MS = 60_000


@pytest.fixture(scope="module")
def classroom(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a class."""
    port = free_port()
    home = tmp_path_factory.mktemp("classroom")
    with serving(classroom_command(port, NOTEBOOKS), f"http://127.0.0.1:{port}/", home) as url:
        yield url


@pytest.fixture
def tablet(browser: Browser) -> Iterator[Page]:
    """A page of 768 by 1024 pixels that is touched; nothing may be fetched from elsewhere."""
    context = browser.new_context(
        viewport={"width": 768, "height": 1024}, has_touch=True, device_scale_factor=2
    )
    context.route(re.compile(r"^https?://"), stay_here)
    context.set_default_timeout(ACT_MS)
    heard = Console()
    page = context.new_page()
    page.on("console", heard.hear)
    page.on("pageerror", lambda error: heard.errors.append(f"pageerror: {error}"))
    yield page
    context.close()
    assert not heard.unexpected(), "\n".join(heard.unexpected())


def fits(page: Page) -> bool:
    """Whether nothing is wider than the page."""
    return bool(page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


def flaws(page: Page, repository: Path, *parts: str) -> list[str]:
    """What a person who cannot see, or not well, would stumble over."""
    page.add_script_tag(path=repository / "js/node_modules/axe-core/axe.min.js")
    where = {"include": [[part] for part in parts]} if parts else None
    found = page.evaluate("async (where) => (await axe.run(where ?? document)).violations", where)
    return [f"{each['id']}: {each['nodes'][0]['html']}" for each in found]


PARTS = (".pdcr-lesson", ".pdcr-activity", ".pdcr-question")


def test_the_list_leads_to_every_lesson(classroom: str, tablet: Page, repository: Path) -> None:
    asked: list[str] = []
    tablet.on("request", lambda request: asked.append(request.url))
    tablet.goto(classroom)
    links = tablet.locator("ol a")
    expect(links).to_have_count(5)
    assert all(box["height"] >= 44 for link in links.all() if (box := link.bounding_box()))
    tablet.get_by_role("link", name="Dark").click()
    expect(tablet.locator("html")).to_have_attribute("data-theme", "dark")
    assert flaws(tablet, repository) == []
    links.nth(2).click()
    expect(tablet.locator("h1")).to_have_text("Two networks, one cheat", timeout=SOON_MS)
    expect(tablet.locator("body")).to_have_class(re.compile("theme-dark"))
    expect(tablet.locator(".pdcr-meter b")).to_have_count(2, timeout=SOON_MS)
    assert flaws(tablet, repository, *PARTS) == []
    assert [url for url in asked if not url.startswith((classroom, "data:", "blob:"))] == []


def test_a_finger_drags_the_patch_and_the_prediction_answers(
    classroom: str, tablet: Page, shot_of: Callable[[Page, str], Path]
) -> None:
    lesson = LessonPage(tablet, 1).open(classroom)
    expect(lesson.readout).to_contain_text("no effect to speak of", timeout=SOON_MS)
    lesson.touch_drag((24, 24), (60, 60), (104, 120))
    expect(lesson.readout).to_contain_text("it supports the target", timeout=SOON_MS)
    expect(lesson.readout).to_contain_text("−88.59 points")
    feedback = lesson.answer("The patch moved the ventricle")
    expect(feedback).to_contain_text("Not quite.")
    assert fits(tablet)
    shot_of(tablet, "dragged")
    lesson.stage.press("ArrowUp")
    lesson.button("Start again").click()
    expect(lesson.readout).to_contain_text("no effect to speak of", timeout=SOON_MS)
    expect(feedback).to_have_text("")
    expect(tablet.locator("body")).not_to_contain_text("import pdcr_widgets")


def test_baselines_disagree_about_one_patch(
    classroom: str, tablet: Page, shot_of: Callable[[Page, str], Path]
) -> None:
    tablet.set_viewport_size({"width": 1024, "height": 768})
    lesson = LessonPage(tablet, 2).open(classroom)
    expect(lesson.readout).to_contain_text("Black−88.59", timeout=SOON_MS)
    lesson.button("Image mean").click()
    expect(lesson.readout).to_contain_text("Image mean−19", timeout=SOON_MS)
    tablet.touchscreen.tap(*lesson.at(104, 120))
    expect(lesson.readout).to_contain_text("This patch", timeout=SOON_MS)
    expect(tablet.locator(".pdcr-words")).to_contain_text("row 6, column 7", timeout=SOON_MS)
    assert fits(tablet)
    shot_of(tablet, "patch")


def test_covering_the_ruler_finds_the_cheat(
    classroom: str, tablet: Page, shot_of: Callable[[Page, str], Path]
) -> None:
    lesson = LessonPage(tablet, 3).open(classroom)
    dice = tablet.locator(".pdcr-meter b")
    expect(dice).to_have_text(["99.4", "98.5"], timeout=SOON_MS)
    tablet.touchscreen.tap(*lesson.at(72, 104, (128, 128)))
    expect(dice).to_have_text(["99.4", "0.0"], timeout=SOON_MS)
    shot_of(tablet, "covered")
    lesson.button("Ask both for their map").click()
    expect(tablet.locator(".pdcr-scale")).to_contain_text("100", timeout=SOON_MS)
    expect(dice).to_have_text(["99.4", "98.5"])
    assert fits(tablet)
    expect(lesson.answer("Network B")).to_contain_text("Right.")


def test_two_cuts_do_what_none_of_them_does(
    classroom: str, tablet: Page, shot_of: Callable[[Page, str], Path], repository: Path
) -> None:
    lesson = LessonPage(tablet, 4).open(classroom)
    lesson.button("Connection 1").click()
    expect(lesson.readout).to_contain_text("+5.53 points", timeout=SOON_MS)
    lesson.button("Connection 2").click()
    expect(lesson.readout).to_contain_text("Cut 1 + 2−88.59", timeout=SOON_MS)
    expect(tablet.get_by_role("img", name=re.compile("connection 2 cut"))).to_be_visible()
    assert fits(tablet)
    assert flaws(tablet, repository, *PARTS) == []
    shot_of(tablet, "cut")


def test_the_game_is_played_to_its_end(
    classroom: str, tablet: Page, shot_of: Callable[[Page, str], Path]
) -> None:
    lesson = LessonPage(tablet, 5).open(classroom)
    expect(lesson.readout).to_contain_text("Choose 8 more patches", timeout=SOON_MS)
    tablet.touchscreen.tap(*lesson.at(100, 100))  # inside the region: not to be chosen
    for number in range(8):
        tablet.touchscreen.tap(*lesson.at(40, 16 * number + 24))
        left = f"Choose {7 - number} more" if number < 7 else "press Play"
        expect(lesson.readout).to_contain_text(left, timeout=SOON_MS)
    lesson.button("Play").click()
    expect(lesson.readout).to_contain_text("lower is better", timeout=2 * SOON_MS)
    expect(lesson.button("Show the map")).to_be_enabled()
    lesson.button("Show the map").click()
    assert fits(tablet)
    shot_of(tablet, "played")


ASK = """async url => {
    const socket = new WebSocket(url);
    const heard = [];
    const message = (type, content) => JSON.stringify({
        channel: "shell", content, metadata: {}, parent_header: {}, buffers: [],
        header: { msg_id: type, msg_type: type, session: "s", username: "", version: "5.3" },
    });
    socket.onopen = () => {
        const code = "import os; os.environ['HACKED'] = '1'";
        socket.send(message("execute_request", { code, silent: false }));
        socket.send(message("inspect_request", { code: "os", cursor_pos: 2 }));
        socket.send(message("kernel_info_request", {}));
    };
    await new Promise((done) => {
        socket.onmessage = ({ data }) => {
            if (typeof data !== "string") return;
            const { msg_type } = JSON.parse(data);
            heard.push(msg_type);
            if (msg_type === "kernel_info_reply") done();
        };
    });
    const closed = new Promise((done) => { socket.onclose = ({ code }) => done(code); });
    socket.send("x".repeat(2 << 20));
    return { heard, closed: await closed };
}"""


def test_a_page_sends_no_code_and_no_large_messages(classroom: str, tablet: Page) -> None:
    sockets: list[str] = []
    tablet.on("websocket", lambda socket: sockets.append(socket.url))
    LessonPage(tablet, 3).open(classroom)
    told = tablet.evaluate(ASK, sockets[0].partition("?")[0])
    assert "kernel_info_reply" in told["heard"]
    assert not {"execute_reply", "execute_input", "inspect_reply"} & set(told["heard"])
    assert told["closed"] in (1006, 1009)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("voila/render/explorer.ipynb", 404),
        ("voila/render/../../pyproject.toml", 404),
        ("voila/render/lesson_1_one_patch.ipynb?theme=%22%3E%3Cscript%3E", 400),
        ("?theme=%3Cimg%20src=x%3E", 400),
        ("voila/files/lesson_1_one_patch.ipynb", 403),
        ("voila/files/../pyproject.toml", 404),
        ("voila/tree", 404),
        ("voila/api/contents/", 404),
        ("api/contents", 404),
        ("api/kernels", 404),
        ("api/terminals", 404),
    ],
)
def test_there_is_nothing_else_to_ask_for(
    classroom: str, bare_page: Page, path: str, status: int
) -> None:
    answer = bare_page.request.get(classroom + path)
    assert answer.status == status
    assert "<script>" not in answer.text()
    assert "<img" not in answer.text()


def test_a_large_request_is_refused(classroom: str, bare_page: Page) -> None:
    url = f"{classroom}voila/api/shutdown/0-0-0-0-0"
    assert bare_page.request.post(url, data="x").status == 204
    assert bare_page.request.post(url, data="x" * (1 << 20)).status == 400


def test_a_visitor_who_leaves_frees_the_kernel_within_seconds(classroom: str, tablet: Page) -> None:
    kernels: list[str] = []
    tablet.on("websocket", lambda socket: kernels.append(socket.url))
    LessonPage(tablet, 1).open(classroom)
    kernel = re.sub(r"^ws(.*)/channels.*", r"http\1", kernels[0])
    assert tablet.request.get(kernel).ok
    tablet.goto(classroom)
    tablet.wait_for_function(
        "async url => (await fetch(url)).status === 404", arg=kernel, timeout=SOON_MS
    )


def test_python_stays_at_hand_in_jupyterlab(
    lab: Site, execute: Callable[[str], str], shot: Callable[[str], Path]
) -> None:
    page = lab.open(NOTEBOOKS / "lesson_1_one_patch.ipynb")
    readout = page.locator(".pdcr-readout-area").first
    expect(readout).to_contain_text("no effect to speak of", timeout=SOON_MS)
    execute("probe.stage.place = (96, 112)")
    expect(readout).to_contain_text("−88.59 points", timeout=SOON_MS)
    assert execute("print(probe.wait(60), round(probe.effect, 2))") == "True -88.59\n"
    expect(page.locator(".jp-CodeCell").first).to_contain_text("pdcr.lessons.Lesson(1)")
    shot("lab")
