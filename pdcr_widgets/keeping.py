"""What a person can take away from a session: files, by what they are for."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from pdcr_widgets.as_code import to_python
from pdcr_widgets.export import save
from pdcr_widgets.session import Session
from pdcr_widgets.turns import turn

Writer = Callable[[Any, Path], None]


@dataclass(frozen=True)
class Form:
    """One kind of file.

    Parameters
    ----------
    label
        What it is, for a menu.
    file
        Its name.
    write
        Writes it.
    mime
        Its media type.
    stepwise
        Whether the writer takes its turns itself, because it may wait for the session.
    """

    label: str
    file: str
    write: Writer
    mime: str = "application/octet-stream"
    stepwise: bool = False


@dataclass(frozen=True)
class Kept:
    """A file that was made."""

    name: str
    mime: str
    data: bytes


def _map(session: Session, path: Path) -> None:
    save(_known(session.ate, "map"), path)


def _numbers(session: Session, path: Path) -> None:
    found, bank = _known(session.ate, "map"), session.bank
    its_own = bank is not None and bank.digest() == found.recipe.get("bank")
    save(found, path, **({"bank": bank} if its_own else {}))


def _figure(session: Session, path: Path) -> None:
    save(_known(session.ate, "map"), path, image=_picture(session), spacing=session.spacing)


def _capture(session: Session, path: Path) -> None:
    save(_known(session.ate, "map"), path, image=_picture(session), spacing=session.spacing)


def _layers(session: Session, path: Path) -> None:
    save(_known(session.layers, "layer effects"), path)


def _cell(session: Session, path: Path) -> None:
    path.write_text(to_python(session), encoding="utf-8")


def _page(session: Session, path: Path) -> None:
    # By its public name: the page is made of the widgets' parts, which lie above this.
    import pdcr_widgets

    pdcr_widgets.embed(session, path, channels=False)


def _session(explorer: Any, path: Path) -> None:
    import pdcr_widgets  # as above

    pdcr_widgets.ExplorerSession.of(explorer).save(path)


FORMS: dict[str, Form] = {
    "png": Form("Map: figure (PNG)", "pdcr-map.png", _figure, "image/png"),
    "pdf": Form("Map: figure (PDF)", "pdcr-map.pdf", _figure, "application/pdf"),
    "svg": Form("Map: figure (SVG)", "pdcr-map.svg", _figure, "image/svg+xml"),
    "html": Form("Map: living page (HTML)", "pdcr-map.html", _page, "text/html", True),
    "npz": Form("Map: all numbers, recipe (npz)", "pdcr-map.npz", _numbers),
    "json": Form("Map: all numbers, recipe (JSON)", "pdcr-map.json", _map, "application/json"),
    "csv": Form("Map: table (CSV)", "pdcr-map.csv", _map, "text/csv"),
    "parquet": Form("Map: table (Parquet)", "pdcr-map.parquet", _map),
    "nc": Form("Map: grids (NetCDF)", "pdcr-map.nc", _map, "application/x-netcdf"),
    "nii": Form("Map: on the volume's grid (NIfTI)", "pdcr-map.nii.gz", _map, "application/gzip"),
    "dcm": Form("Map: picture (DICOM)", "pdcr-map.dcm", _capture, "application/dicom"),
    "layers-csv": Form("Layers: table (CSV)", "pdcr-layers.csv", _layers, "text/csv"),
    "layers-pdf": Form("Layers: figure (PDF)", "pdcr-layers.pdf", _layers, "application/pdf"),
    "session": Form("Session, to go on another day (npz)", "pdcr-session.npz", _session),
    "py": Form("Python cell", "pdcr-cell.py", _cell, "text/x-python"),
}


def kept(session: Session, form: str, explorer: Any = None) -> Kept:
    """Make a file of what a session shows.

    Parameters
    ----------
    session
        Whose results are kept.
    form
        A key of `FORMS`.
    explorer
        The explorer that shows it, for the form ``"session"``.

    Raises
    ------
    ValueError
        An unknown form, or nothing to keep yet.
    ImportError
        A library is missing; the message says which extra brings it.
    """
    if form not in FORMS:
        raise ValueError(f"form must be one of {list(FORMS)}, got {form!r}")
    made = FORMS[form]
    with TemporaryDirectory() as folder:
        path = Path(folder) / made.file
        with nullcontext() if made.stepwise else turn():
            made.write(explorer if form == "session" else session, path)
        return Kept(made.file, made.mime, path.read_bytes())


def _known(result: Any, what: str) -> Any:
    if result is None:
        raise ValueError(f"there is no {what} yet; draw a region and let it be computed")
    return result


def _picture(session: Session) -> Any:
    return session.image.float().cpu().numpy()
