"""Choose a file of a folder on the server, or drop one from this computer."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anywidget
import traitlets as t

from pdcr_widgets.failures import in_words
from pdcr_widgets.widgets.guarded import Guarded
from pdcr_widgets.widgets.network_view import STATIC
from pdcr_widgets.widgets.root_folder import RootFolder
from pdcr_widgets.widgets.stills import Stilled
from pdcr_widgets.widgets.uploads import Inbox, in_bytes

LIMIT = 256 * 2**20


@dataclass(frozen=True, eq=False)
class Chosen:
    """What was chosen; every choice is news, also the same one again.

    Parameters
    ----------
    paths
        Files, or one folder.
    name
        What people call it.
    """

    paths: tuple[Path, ...]
    name: str

    @property
    def source(self) -> Any:
        """What `open_image` opens: a path, or a list of paths."""
        return self.paths[0] if len(self.paths) == 1 else list(self.paths)


class FileChooser(Guarded, Stilled, anywidget.AnyWidget):
    """Choose a file below one folder, or send one by dropping it.

    Nothing outside the folder can be seen or chosen, whatever a page asks for: names go through
    `RootFolder.find`, which follows no link out of it. Files that are sent go to a temporary folder
    that is deleted with the widget; only the newest ones are kept.

    Parameters
    ----------
    root
        The folder; None offers sending only.
    limit
        Bytes that may be sent at once; 0 offers no sending.
    **traits
        Any trait.

    Attributes
    ----------
    chosen : Chosen or None
        The newest choice, as paths on the server. Not known to the page.
    note : str
        What went wrong or is being done, shown below.

    Raises
    ------
    ValueError
        There is no such folder, or a negative limit.
    """

    _esm = STATIC / "file_chooser.js"
    _css = STATIC / "file_chooser.css"

    listing: Any = t.Dict(allow_none=True, default_value=None).tag(sync=True)
    limit = t.Int(LIMIT).tag(sync=True)
    note = t.Unicode("").tag(sync=True)
    wrong = t.Bool(False, help="whether the note is of an error").tag(sync=True)
    current = t.Unicode("", help="name of what was chosen").tag(sync=True)
    chosen = t.Instance(Chosen, allow_none=True)

    _cleaning: Callable[[], Any] | None = None

    def __init__(
        self, root: str | Path | None = None, *, limit: int = LIMIT, **traits: Any
    ) -> None:
        if limit < 0:
            raise ValueError(f"limit must be at least 0 bytes, got {limit}")
        self._root = None if root is None else RootFolder(root)
        self._inbox = Inbox(limit)
        self._cleaning = weakref.finalize(self, self._inbox.close)
        super().__init__(limit=limit, **traits)
        self.on_msg(self._heard)
        if self._root is not None:
            self._look([])

    def tell(self, words: str, wrong: bool = False) -> None:
        """Show what is being done, or what went wrong."""
        with self.hold_sync():
            self.note, self.wrong = words, wrong

    def choose(self, place: Sequence[str]) -> None:
        """Go into a folder below the root, or choose a file, as a click does.

        Raises
        ------
        ValueError
            There is nothing of that name inside the root.
        """
        if self._root is None:
            raise ValueError("this chooser has no folder; give it one as root")
        path = self._root.find(place)
        if path.is_dir():
            self._look(place)
        else:
            self._choose((path,), path.name)

    def close(self) -> None:
        """Take the widget off every page and delete what was sent."""
        if self._cleaning is not None:
            self._cleaning()
        super().close()

    def said(self) -> Iterator[str]:
        """Give what is chosen, the note, and the folder that is looked into."""
        yield f"Chosen: {self.current}" if self.current else "Nothing chosen"
        yield from (note for note in (self.note,) if note)
        if self.listing is not None:
            yield "Folder " + "/".join([self.listing["root"], *self.listing["place"]])
            for entry in self.listing["entries"]:
                size = "" if entry["folder"] else f", {in_bytes(entry['size'])}"
                yield f"{entry['name']}{'/' if entry['folder'] else ''}{size}"
        if self.limit:
            yield f"Files of this computer can be sent, {in_bytes(self.limit)} at once"

    def _look(self, place: Sequence[str]) -> None:
        assert self._root is not None
        entries, more = self._root.entries(place)
        self.listing = {
            "root": self._root.path.name,
            "place": list(place),
            "more": more,
            "entries": [{"name": e.name, "folder": e.is_folder, "size": e.size} for e in entries],
        }

    def _choose(self, paths: tuple[Path, ...], name: str) -> None:
        self.tell("")
        self.current = name
        self.chosen = Chosen(paths, name)

    def _heard(self, _widget: Any, content: Any, buffers: Any) -> None:
        """Do what a page asks for; whatever is wrong with it is told there."""
        try:
            if self._acts(content, buffers) is False:
                raise ValueError(f"the page asked for something unknown: {str(content)[:80]!r}")
        except (KeyError, TypeError, ValueError, OSError) as failure:
            self._inbox.close()
            self.tell(self._without_root(in_words(failure)), wrong=True)
            self.send({"type": "refused"})

    def _acts(self, content: dict[str, Any], buffers: Any) -> bool | None:
        match content["type"]:
            case "open":
                self.choose(list(content["place"]))
            case "folder" if self._root is not None:
                place = list(content["place"])
                self._choose((self._root.find(place),), place[-1] if place else "this folder")
            case "begin" if self.limit:
                files = [(str(f["name"]), int(f["size"])) for f in content["files"]]
                self._inbox.begin(files)
                self._received()
            case "part" if self._inbox.upload is not None:
                data = b"".join(bytes(part) for part in buffers)
                self._inbox.upload.take(int(content["file"]), int(content["start"]), data)
                self._received()
            case "cancel":
                self._inbox.close()
                self.tell("")
            case _:
                return False
        return None

    def _received(self) -> None:
        upload = self._inbox.upload
        assert upload is not None
        self.send({"type": "received"})
        if upload.done:
            first = upload.paths[0].name
            count = len(upload.paths)
            self._choose(tuple(upload.paths), first if count == 1 else f"{count} files sent")

    def _without_root(self, words: str) -> str:
        return words if self._root is None else words.replace(str(self._root.path), "…")
