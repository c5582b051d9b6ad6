"""Results as files: what comes back, what other programs read, and that old files stay whole."""

from __future__ import annotations

import csv
import json
import math
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent / "causal"))

from toys import SmallNet, box, picture

import pdcr_widgets as pdcr
from pdcr_widgets.causal.results import ATEMap
from pdcr_widgets.export import FORMATS

SPATIAL = (22, 18)
REGION = box(SPATIAL, slice(8, 14), slice(4, 12))
RELEASED = Path(__file__).parent / "data" / "format-1"
GRIDS = ("effect", "stderr", "samples", "region")


@pytest.fixture(scope="module")
def ate() -> ATEMap:
    found = pdcr.ate_map(
        SmallNet(), picture(1, *SPATIAL), REGION, patch_size=4, baseline="noise", samples=4
    )
    stderr = found.stderr.copy()
    stderr[0, 0] = np.inf
    return replace(found, stderr=stderr)


@pytest.fixture(scope="module")
def layers() -> Any:
    return pdcr.layer_effects(
        SmallNet(), picture(1, *SPATIAL), REGION, intervention=("mean", "noise"), samples=2
    )


def assert_same(found: Any, expected: Any) -> None:
    assert type(found) is type(expected)
    assert dict(found.recipe) == dict(expected.recipe)
    if isinstance(expected, ATEMap):
        for name in GRIDS:
            np.testing.assert_array_equal(getattr(found, name), getattr(expected, name))
            assert getattr(found, name).dtype == getattr(expected, name).dtype
    else:
        assert repr(found.rows) == repr(expected.rows)
    for name in ("base", "evaluations", "engine", "reason"):
        assert getattr(found, name) == getattr(expected, name)


@pytest.mark.parametrize("suffix", [".npz", ".json"])
def test_results_come_back(suffix: str, ate: ATEMap, layers: Any, tmp_path: Path) -> None:
    for result in (ate, layers):
        pdcr.save(result, tmp_path / f"case{suffix}")
        assert_same(pdcr.load(tmp_path / f"case{suffix}"), result)
    assert [f.name for f in tmp_path.iterdir()] == [f"case{suffix}"]


def test_a_sweep_comes_back(tmp_path: Path) -> None:
    sweep = pdcr.Sweep.run(SmallNet(), picture(1, *SPATIAL), patch_size=6)
    pdcr.save(sweep, tmp_path / "sweep.npz")
    found = pdcr.load(tmp_path / "sweep.npz")
    np.testing.assert_array_equal(found.ate_map(REGION).effect, sweep.ate_map(REGION).effect)
    with pytest.raises(ValueError, match=r"a sweep is saved as \.npz, got '\.csv'"):
        pdcr.save(sweep, tmp_path / "sweep.csv")


@pytest.mark.parametrize("name", ["map.npz", "map.json"])
def test_maps_of_format_1_are_read(name: str) -> None:
    found = pdcr.load(RELEASED / name)
    np.testing.assert_array_equal(found.effect, np.float32([[-2.5, 0, 1.25], [0.5, np.nan, 0]]))
    np.testing.assert_array_equal(found.stderr, np.float32([[0.5, 0, np.inf], [0, np.nan, 0.1]]))
    assert found.samples.tolist() == [[16, 1, 0], [1, 0, 3]]
    assert np.argwhere(found.region).tolist() == [[4, 4], [4, 5]]
    assert (found.base, found.evaluations, found.patch_size) == (87.5, 21, 4)
    assert (found.engine, found.reason) == ("full", "asked for")
    assert found.recipe == {"baseline": "noise", "threshold": 0.02, "seed": 3}


@pytest.mark.parametrize("name", ["layers.npz", "layers.json"])
def test_layer_effects_of_format_1_are_read(name: str) -> None:
    found = pdcr.load(RELEASED / name)
    assert found.layers == ("enc", "dec")
    row = found.get("dec")
    assert (row.effect, row.stderr, row.samples, row.shape) == (-12.5, 0.25, 4, (8, 6, 5))
    assert math.isnan(row.elsewhere)
    assert (found.base, found.outcome, found.seed) == (87.5, "dice", 3)
    assert found.recipe == {"kind": "layers"}


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_tables_have_a_row_per_patch(suffix: str, ate: ATEMap, tmp_path: Path) -> None:
    path = tmp_path / f"map{suffix}"
    pdcr.save(ate, path)
    if suffix == ".csv":
        with path.open(newline="") as file:
            read = list(csv.DictReader(file))
        flags = {"True": True, "False": False}
        rows = [{k: flags[v] if v in flags else float(v) for k, v in r.items()} for r in read]
    else:
        frame = pytest.importorskip("pandas", reason="Parquet needs pandas").read_parquet(path)
        assert json.loads(frame.attrs["recipe"]) == dict(ate.recipe)
        rows = frame.to_dict("records")
    expected = ate.to_dataframe().to_dict("records")
    assert len(rows) == np.isfinite(ate.effect).sum()
    for row, other in zip(rows, expected, strict=True):
        assert row == pytest.approx(other)


def test_tables_of_layers(layers: Any, tmp_path: Path) -> None:
    for suffix in (".csv", ".parquet"):
        pdcr.save(layers, tmp_path / f"layers{suffix}")
    with (tmp_path / "layers.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    frame = pytest.importorskip("pandas", reason="Parquet needs pandas").read_parquet(
        tmp_path / "layers.parquet"
    )
    assert [row["layer"] for row in rows] == [row.layer for row in layers] == list(frame.layer)
    assert [float(row["effect"]) for row in rows] == [row.effect for row in layers]
    assert rows[0]["shape"] == " x ".join(map(str, layers.rows[0].shape))


def test_netcdf_is_read_by_xarray(ate: ATEMap, tmp_path: Path) -> None:
    xarray = pytest.importorskip("xarray", reason="NetCDF is read with xarray")
    pdcr.save(ate, tmp_path / "map.nc")
    with xarray.open_dataset(tmp_path / "map.nc", engine="scipy") as data:
        np.testing.assert_array_equal(data.effect.values, ate.effect)
        np.testing.assert_array_equal(data.samples.values, ate.samples)
        np.testing.assert_array_equal(data.region.values.astype(bool), ate.region)
        assert json.loads(data.attrs["recipe"]) == dict(ate.recipe)
        assert data.attrs["base"] == ate.base


@pytest.mark.parametrize("values", ["effect", "samples"])
def test_nifti_lies_on_the_slice_of_the_volume(values: str, ate: ATEMap, tmp_path: Path) -> None:
    nibabel = pytest.importorskip("nibabel", reason="NIfTI is read with nibabel")
    volume = pdcr.open_image(np.zeros((5, *SPATIAL), np.float32), spacing=(3.0, 0.5, 0.75))
    one = replace(volume, oriented=True).slice(2)
    pdcr.save(ate, tmp_path / "a.nii.gz", like=one, values=values)
    pdcr.save(ate, tmp_path / "b.nii", affine=one.affine, values=values)
    expected = ate.to_image(np.where(np.isnan(ate.effect), np.nan, getattr(ate, values)))
    for name in ("a.nii.gz", "b.nii"):
        written = nibabel.load(tmp_path / name)
        assert written.shape == (*SPATIAL[::-1], 1)
        np.testing.assert_array_equal(np.asarray(written.dataobj)[:, :, 0].T, expected)
        corner = written.affine @ [1, 2, 0, 1]
        np.testing.assert_allclose(corner, one.affine @ [0, 2, 1, 1])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "say where its pixels are"),
        ({"affine": np.eye(4), "values": "p"}, "values must be one of"),
        ({"affine": np.eye(3)}, r"must be a finite \(4, 4\) matrix, got shape \(3, 3\)"),
        ({"affine": np.full((4, 4), np.nan)}, "must be a finite"),
    ],
)
def test_bad_places_are_refused(
    options: dict[str, Any], message: str, ate: ATEMap, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=message):
        pdcr.save(ate, tmp_path / "map.nii", **options)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("suffix", "start"), [(".png", b"\x89PNG"), (".svg", b"<?xml"), (".pdf", b"%PDF")]
)
def test_pictures(suffix: str, start: bytes, ate: ATEMap, layers: Any, tmp_path: Path) -> None:
    for result in (ate, layers):
        pdcr.save(result, tmp_path / f"figure{suffix}")
        assert (tmp_path / f"figure{suffix}").read_bytes().startswith(start)


def test_pictures_have_the_width_of_a_column_or_what_is_asked_for(
    ate: ATEMap, layers: Any, tmp_path: Path
) -> None:
    from PIL import Image

    for number, (result, options, inches) in enumerate(
        [(ate, {}, 3.5), (layers, {}, 3.5), (ate, {"width": 7.2, "spacing": (1, 2)}, 7.2)]
    ):
        path = tmp_path / f"{number}.png"
        pdcr.save(result, path, **options)
        with Image.open(path) as drawn:
            assert drawn.width == round(300 * inches)
            assert drawn.info["dpi"] == pytest.approx((300, 300), abs=0.1)


def test_a_comparison_is_a_table_a_figure_and_comes_back(tmp_path: Path) -> None:
    found = pdcr.compare(
        SmallNet(), picture(1, *SPATIAL), REGION, methods=["pdcr", "random"], patch_size=4, steps=3
    )
    for suffix in (".npz", ".csv", ".parquet", ".pdf"):
        pdcr.save(found, tmp_path / f"c{suffix}")
    assert repr(pdcr.load(tmp_path / "c.npz").rows) == repr(found.rows)
    with (tmp_path / "c.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["method"], float(row["deletion"])) for row in rows] == [
        (row.method, row.deletion) for row in found.rows
    ]
    with pytest.raises(ValueError, match=r"a comparison is saved as one of .* got '\.nii'"):
        pdcr.save(found, tmp_path / "c.nii")


def test_a_kill_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "case.json"
    path.write_bytes(b"old")
    code = (
        "import os, signal, sys\n"
        "from pdcr_widgets.causal.files import whole_file\n"
        "with whole_file(sys.argv[1]) as part:\n"
        "    part.write_bytes(b'half')\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], check=False)
    assert done.returncode == -9
    assert path.read_bytes() == b"old"


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_failed_export_leaves_the_old_file(
    suffix: str, ate: ATEMap, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / f"case{suffix}"
    path.write_bytes(b"old")

    def full_disk(_result: object, part: Path, **_options: Any) -> None:
        part.write_bytes(b"half of the ne")
        raise OSError(28, "No space left on device")

    monkeypatch.setitem(FORMATS, suffix, full_disk)
    with pytest.raises(OSError, match="No space left"):
        pdcr.save(ate, path)
    assert path.read_bytes() == b"old"
    assert [f.name for f in tmp_path.iterdir()] == [path.name]


def test_what_cannot_be_written_is_refused(ate: ATEMap, layers: Any, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"'map\.xyz' must end in one of \['\.npz'"):
        pdcr.save(ate, tmp_path / "map.xyz")
    for suffix in (".nc", ".nii"):
        with pytest.raises(ValueError, match=f"a {suffix} file holds a map"):
            pdcr.save(layers, tmp_path / f"layers{suffix}")


BROKEN: dict[str, Callable[[dict[str, Any]], Any]] = {
    "is not a saved result": lambda held: [1],
    "cut or changed|do not|is not": lambda held: {**held, "effect": held["effect"][:3]},
    "not a saved result": lambda held: {k: v for k, v in held.items() if k != "region"},
    "was written by a later version": lambda held: {**held, "format": 99},
}


@pytest.mark.parametrize("message", BROKEN)
def test_damaged_documents_are_refused(message: str, ate: ATEMap, tmp_path: Path) -> None:
    path = tmp_path / "map.json"
    pdcr.save(ate, path)
    path.write_text(json.dumps(BROKEN[message](json.loads(path.read_text()))))
    with pytest.raises(ValueError, match=message):
        pdcr.load(path)
    (tmp_path / "map.npz").write_bytes(b"PK\x03\x04 nothing")
    with pytest.raises(ValueError, match=r"'map\.npz' is not a saved result"):
        pdcr.load(tmp_path / "map.npz")
    with pytest.raises(FileNotFoundError):
        pdcr.load(tmp_path / "none.npz")
