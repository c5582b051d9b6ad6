"""Files that a session becomes, and what the buttons answer a page."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny

import pdcr_widgets as pdcr
from pdcr_widgets.as_code import to_python
from pdcr_widgets.export import FORMATS
from pdcr_widgets.keeping import FORMS, kept
from pdcr_widgets.session import Session
from pdcr_widgets.widgets import KeepBar

BEGIN = {
    "png": b"\x89PNG", "pdf": b"%PDF", "svg": b"<?xml", "html": b"<!doctype html>", "npz": b"PK",
    "json": b'{"format"', "csv": b"top,left", "parquet": b"PAR1", "nc": b"CDF", "nii": b"\x1f\x8b",
    "layers-csv": b"layer,", "layers-pdf": b"%PDF", "py": b"import numpy",
}  # fmt: skip
GRID = {"affine": np.diag([3.0, 1.0, 2.0, 1.0]).tolist(), "oriented": False}


@pytest.fixture(scope="module")
def session() -> Iterator[Session]:
    case = tiny.case()
    session = Session(case, threaded=False, samples=4, layer_samples=2, grid=GRID)
    session.run()
    yield session
    session.close()


@pytest.fixture
def bar(session: Session, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    bar = KeepBar(session)
    bar.told = []
    monkeypatch.setattr(
        bar, "send", lambda content, buffers=(): bar.told.append((content, buffers))
    )
    yield bar
    bar.close()


@pytest.mark.parametrize("form", [name for name in FORMS if name != "session"])
def test_every_form_is_a_file_of_its_kind(form: str, session: Session) -> None:
    made = kept(session, form)
    assert made.name == FORMS[form].file
    if form == "dcm":
        assert made.data[128:132] == b"DICM"
    else:
        assert made.data.startswith(BEGIN[form])


def test_every_format_of_a_map_is_in_the_menu() -> None:
    offered = {
        suffix for form in FORMS.values() for suffix in FORMATS if form.file.endswith(suffix)
    }
    assert offered == {*FORMATS} - {".nii"}  # its compressed form is offered


def test_a_file_holds_what_the_session_shows(session: Session, tmp_path: Path) -> None:
    made = kept(session, "npz")
    (tmp_path / made.name).write_bytes(made.data)
    found = pdcr.load(tmp_path / made.name)
    np.testing.assert_array_equal(found.effect, session.ate.effect)
    assert kept(session, "py").data.decode() == to_python(session)


def test_nothing_to_keep_is_said() -> None:
    session = Session(tiny.case(), threaded=False)
    for form, what in {"npz": "map", "layers-csv": "layer effects"}.items():
        with pytest.raises(ValueError, match=f"there is no {what} yet"):
            kept(session, form)
    with pytest.raises(ValueError, match="form must be one of"):
        kept(session, "exe")


def test_a_page_is_answered(bar: Any, session: Session) -> None:
    bar._asked(bar, {"type": "python", "id": 1}, [])
    bar._asked(bar, {"type": "save", "id": 2, "format": "csv"}, [])
    bar._asked(bar, {"type": "save", "id": 3, "format": "../../etc"}, [])
    bar._asked(bar, {"type": "other", "id": 4}, [])
    bar._asked(bar, "nonsense", [])
    python, file, failed = bar.told
    assert python[0] == {"type": "python", "id": 1, "text": to_python(session)}
    assert file[0] == {"type": "file", "id": 2, "name": "pdcr-map.csv", "mime": "text/csv"}
    assert file[1] == [kept(session, "csv").data]
    assert failed[0]["type"] == "failed"
    assert "form must be one of" in failed[0]["error"]


def test_a_page_chooses_among_the_forms(bar: Any) -> None:
    offered = [[name, form.label] for name, form in FORMS.items() if name != "session"]
    assert bar.formats == offered
    assert repr(bar) == f"KeepBar({len(offered)} kinds of files)"
