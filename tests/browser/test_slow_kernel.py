"""A kernel that is slow to speak, as on a busy machine: its page waits for what it has to show."""

from __future__ import annotations

import urllib.request
from pathlib import Path

import nbformat
from lesson_pages import classroom_command
from pages import KERNEL
from servers import free_port, serving

# The thread that sends outputs sleeps, while the answer that the cell has run is sent by another.
LATE = """
import sys, time
sys.stdout.flush_timeout = sys.stderr.flush_timeout = 0.1
get_ipython().kernel.iopub_thread.schedule(lambda: time.sleep(6))
display({"text/html": "<p>here is the experiment</p>"}, raw=True)
"""


def test_a_page_does_not_come_without_its_experiment(tmp_path: Path) -> None:
    lessons = tmp_path / "lessons"
    lessons.mkdir()
    cells = [nbformat.v4.new_code_cell(LATE), nbformat.v4.new_markdown_cell("the end")]
    notebook = nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": KERNEL})
    nbformat.write(notebook, lessons / "lesson_1_one_patch.ipynb")
    port, home = free_port(), tmp_path / "home"
    home.mkdir()
    with serving(classroom_command(port, lessons), f"http://127.0.0.1:{port}/", home) as url:
        address = f"{url}voila/render/lesson_1_one_patch.ipynb"
        with urllib.request.urlopen(address, timeout=120) as page:
            told = page.read().decode()
    assert "here is the experiment" in told
    assert "the end" in told
