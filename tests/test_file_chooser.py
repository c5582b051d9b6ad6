"""What visitors may see and send: nothing outside the folder, nothing above the limit."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pdcr_widgets.widgets.file_chooser import FileChooser
from pdcr_widgets.widgets.root_folder import RootFolder
from pdcr_widgets.widgets.uploads import Inbox, in_bytes


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """Folder with a file, a folder, hidden things and links in and out; secrets lie beside it."""
    root = tmp_path / "study"
    (root / "patient" / ".cache").mkdir(parents=True)
    (root / "b.npy").write_bytes(b"12345")
    (root / "patient" / "A.dcm").write_bytes(b"1")
    (root / ".hidden").write_bytes(b"secret")
    (root / "patient" / ".cache" / "x.npy").write_bytes(b"secret")
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret.npy").write_bytes(b"secret")
    (tmp_path / "study-2").mkdir()
    (root / "out").symlink_to(tmp_path / "outside")
    (root / "out.npy").symlink_to(tmp_path / "outside" / "secret.npy")
    (root / "sibling").symlink_to(tmp_path / "study-2")
    (root / "into_hidden").symlink_to(root / "patient" / ".cache")
    (root / "loop").symlink_to(root / "loop")
    (root / "gone").symlink_to(root / "nowhere")
    (root / "inside.npy").symlink_to(root / "b.npy")
    os.mkfifo(root / "pipe.npy")
    return root


@pytest.fixture
def chooser(study: Path) -> Iterator[FileChooser]:
    chooser = FileChooser(study, limit=100)
    yield chooser
    chooser.close()


def ask(chooser: FileChooser, buffers: Any = (), **content: Any) -> None:
    """Ask as a page does."""
    chooser._handle_custom_msg(content, list(buffers))


def test_folders_come_first_and_hidden_things_do_not(study: Path) -> None:
    entries, more = RootFolder(study).entries([])
    assert [(e.name, e.is_folder, e.size) for e in entries] == [
        ("patient", True, 0), ("b.npy", False, 5), ("inside.npy", False, 5),
    ]  # fmt: skip
    assert not more
    assert [e.name for e in RootFolder(study).entries(["patient"])[0]] == ["A.dcm"]


OUTSIDE = [
    ["..", "outside", "secret.npy"],
    ["patient", "..", "..", "outside", "secret.npy"],
    ["../outside/secret.npy"],
    ["patient/../../outside/secret.npy"],
    ["..\\outside"],
    ["/etc/passwd"],
    ["/", "etc", "passwd"],
    ["out"],
    ["out", "secret.npy"],
    ["out.npy"],
    ["sibling"],
    ["into_hidden", "x.npy"],
    ["patient", ".cache", "x.npy"],
    [".hidden"],
    ["."],
    [""],
    ["b.npy\0"],
    ["loop"],
    ["gone"],
    ["pipe.npy"],
    ["b.npy", "further"],
    ["x" * 5000],
    [3],
    [None],
    [["b.npy"]],
]


@pytest.mark.parametrize("place", OUTSIDE, ids=lambda place: str(place)[:40])
def test_nothing_outside_can_be_reached(place: list[Any], chooser: FileChooser) -> None:
    seen = chooser.listing
    for kind in ("open", "folder"):
        ask(chooser, type=kind, place=place)
        assert chooser.chosen is None
        assert chooser.listing == seen
        assert chooser.wrong
        assert "there is nothing to open at" in chooser.note
        assert str(chooser._root.path) not in chooser.note
        assert "secret" not in chooser.note or "secret" in str(place)


NAMES = ["..", ".", "/", "causal", "browser", "~", "", "a/../..", "%2e", "tiny.py"]


@given(st.lists(st.sampled_from(NAMES) | st.text(max_size=4), max_size=5))
@settings(max_examples=300, deadline=None)
def test_no_list_of_names_leads_outside(place: list[str]) -> None:
    root = RootFolder(Path(__file__).parent)
    try:
        found = root.find(place)
    except ValueError:
        return
    assert found == root.path or root.path in found.parents


def test_a_page_cannot_change_the_root_or_the_limit(chooser: FileChooser, study: Path) -> None:
    chooser.set_state({"limit": 10**9, "listing": {"root": "/", "place": ["etc"], "entries": []}})
    ask(chooser, type="begin", files=[{"name": "a", "size": 101}])
    assert "more than the 100 bytes that may be sent" in chooser.note
    ask(chooser, type="open", place=["b.npy"])
    assert chooser.chosen is not None
    assert chooser.chosen.source == study / "b.npy"


def test_folders_are_gone_into_and_files_chosen(chooser: FileChooser, study: Path) -> None:
    assert chooser.listing["root"] == "study"
    ask(chooser, type="open", place=["patient"])
    assert chooser.listing["place"] == ["patient"]
    assert chooser.chosen is None
    ask(chooser, type="open", place=["patient", "A.dcm"])
    first = chooser.chosen
    assert first is not None
    assert (first.source, first.name) == (study / "patient" / "A.dcm", "A.dcm")
    ask(chooser, type="open", place=["patient", "A.dcm"])
    assert chooser.chosen is not first
    ask(chooser, type="folder", place=["patient"])
    assert chooser.chosen.source == study / "patient"
    ask(chooser, type="folder", place=[])
    assert chooser.chosen.source == study


def test_files_arrive_in_parts(chooser: FileChooser) -> None:
    said: list[Any] = []
    chooser.send = lambda content, buffers=None: said.append(content["type"])  # type: ignore
    files = [{"name": "a/scan.dcm", "size": 5}, {"name": "b/scan.dcm", "size": 0}]
    ask(chooser, type="begin", files=files)
    ask(chooser, [memoryview(b"123")], type="part", file=0, start=0)
    assert chooser.chosen is None
    ask(chooser, [memoryview(b"4"), memoryview(b"5")], type="part", file=0, start=3)
    assert said == ["received"] * 3
    chosen = chooser.chosen
    assert chosen is not None
    assert [path.name for path in chosen.source] == ["scan.dcm", "1-scan.dcm"]
    assert chosen.paths[0].read_bytes() == b"12345"
    ask(chooser, type="begin", files=[{"name": "next", "size": 1}])
    assert not chosen.paths[0].exists()
    ask(chooser, type="cancel")
    assert chooser._inbox.upload is None


@pytest.mark.parametrize(
    ("messages", "words"),
    [
        ([{"type": "begin", "files": []}], "send 1 to 4096 files"),
        ([{"type": "begin", "files": [{"name": "a", "size": -1}]}], "more than"),
        ([{"type": "begin", "files": [{"name": "/", "size": 1}]}], "no name of a file"),
        ([{"type": "begin", "files": [{"name": "..", "size": 1}]}], "no name of a file"),
        ([{"type": "begin", "files": [{"name": "a"}]}], "size"),
        ([{"type": "part", "file": 0, "start": 0}], "something unknown"),
        ([{"type": "delete"}], "something unknown"),
        ([{}], "type"),
        (
            [{"type": "begin", "files": [{"name": "a", "size": 3}]},
             {"type": "part", "file": 0, "start": 1}], "out of order",
        ),
        (
            [{"type": "begin", "files": [{"name": "a", "size": 3}]},
             {"type": "part", "file": 0, "start": 0}], "larger than was announced",
        ),
        (
            [{"type": "begin", "files": [{"name": "a", "size": 3}]},
             {"type": "part", "file": 9, "start": 0}], "out of order",
        ),
    ],
)  # fmt: skip
def test_what_a_page_should_not_send(
    messages: list[dict[str, Any]], words: str, chooser: FileChooser
) -> None:
    for message in messages:
        ask(chooser, [b"12345"], **message)
    assert chooser.wrong
    assert words in chooser.note
    assert chooser.chosen is None
    assert chooser._inbox.upload is None


def test_what_was_sent_is_deleted_with_the_widget(study: Path) -> None:
    chooser = FileChooser(study)
    ask(chooser, type="begin", files=[{"name": "../../evil.npy", "size": 1}])
    ask(chooser, [b"1"], type="part", file=0, start=0)
    assert chooser.chosen is not None
    path = chooser.chosen.paths[0]
    assert path.name == "evil.npy"
    assert path.parent.name.startswith("pdcr-upload-")
    chooser.close()
    assert not path.parent.exists()


def test_sending_or_choosing_can_be_left_out(study: Path) -> None:
    closed = FileChooser(study, limit=0)
    ask(closed, type="begin", files=[{"name": "a", "size": 0}])
    assert "something unknown" in closed.note
    bare = FileChooser(limit=10)
    assert bare.listing is None
    ask(bare, type="open", place=[])
    assert "has no folder" in bare.note
    with pytest.raises(ValueError, match="there is no folder at"):
        FileChooser(study / "b.npy")
    with pytest.raises(ValueError, match="limit must be at least 0"):
        FileChooser(study, limit=-1)
    closed.close()
    bare.close()


def test_many_entries_are_not_all_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pdcr_widgets.widgets.root_folder.MOST_ENTRIES", 3)
    for number in range(5):
        (tmp_path / f"{number}.npy").touch()
    entries, more = RootFolder(tmp_path).entries([])
    assert (len(entries), more) == (3, True)
    with pytest.raises(ValueError, match="is no folder"):
        RootFolder(tmp_path).entries(["0.npy"])


@pytest.mark.parametrize(
    ("size", "words"),
    [
        (0, "0 bytes"),
        (1000, "1000 bytes"),
        (2048, "2 KiB"),
        (2**28, "256 MiB"),
        (2**31, "2 GiB"),
    ],
)
def test_sizes_are_told_in_words(size: int, words: str) -> None:
    assert in_bytes(size) == words


def test_an_inbox_keeps_only_the_newest() -> None:
    inbox = Inbox(10)
    old = inbox.begin([("a", 1)])
    inbox.begin([("b", 1)])
    assert not old.paths[0].exists()
    inbox.close()
    inbox.close()
