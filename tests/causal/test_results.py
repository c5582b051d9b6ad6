"""A map as numbers: summary, tables, significance, files."""

from __future__ import annotations

import math
import zipfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from toys import SmallNet, box, picture, quick

from pdcr_widgets.causal import ATEMap, PatchBank, ate_map

EFFECT = np.array([[-5.0, -3.0, -1.0, 0.01], [np.nan, 0.0, 0.03, 0.5], [2.0, 3.0, -0.5, -0.03]])


def a_map(effect: Any = EFFECT, stderr: Any = 0.0, samples: int = 10, **more: Any) -> ATEMap:
    effect = np.asarray(effect, dtype=np.float32)
    region = np.isnan(np.repeat(np.repeat(effect, 4, axis=0), 4, axis=1))[:10, :15]
    spread = np.broadcast_to(np.asarray(stderr, dtype=np.float32), effect.shape)
    return ATEMap(
        effect=effect,
        stderr=np.where(np.isnan(effect), np.nan, spread).astype(np.float32),
        samples=np.full(effect.shape, samples),
        base=80.0,
        evaluations=100,
        patch_size=4,
        region=region,
        recipe={"threshold": 0.02, **more},
    )


def test_summary_counts_by_the_papers_edges() -> None:
    summary = a_map().summary()
    assert summary["patches"] == 11
    assert summary["edges"] == [-np.inf, -3, -1, -0.3, -0.02, 0.02, 0.3, 1, 3, np.inf]
    #                             -5 -3 | -1 | -.5 | -.03 | .01 0 | .03 | .5 | 2 | 3
    assert summary["histogram"] == [2, 1, 1, 1, 2, 1, 1, 1, 1]
    assert summary["supporting"] == pytest.approx(5 / 11)
    assert summary["harming"] == pytest.approx(4 / 11)
    assert summary["irrelevant"] == pytest.approx(2 / 11)
    assert (summary["strongest_support"], summary["strongest_harm"]) == (-5, 3)
    assert summary["base"] == 80


@quick
@given(
    effects=st.lists(st.floats(-50, 50, width=32), min_size=1, max_size=12),
    threshold=st.sampled_from([0.0, 0.02, 0.3, 0.5, 4.0]),
)
def test_every_patch_is_in_one_bin_and_one_share(effects: list[float], threshold: float) -> None:
    summary = a_map([effects], threshold=threshold).summary()
    edges, counts = summary["edges"], summary["histogram"]
    assert sum(counts) == len(effects)
    assert edges == sorted(edges)
    assert len(counts) == len(edges) - 1
    shares = [summary[n] for n in ("supporting", "harming", "irrelevant")]
    assert sum(shares) == pytest.approx(1)
    middle = len(counts) // 2
    assert sum(counts[:middle]) == pytest.approx(shares[0] * len(effects))
    assert counts[middle] == pytest.approx(shares[2] * len(effects))
    assert summary["strongest_support"] <= 0 <= summary["strongest_harm"]


def test_an_effect_of_the_thresholds_size_counts() -> None:
    summary = a_map([[-0.5, 0.5, 0.25]], threshold=0.5).summary()
    assert (summary["supporting"], summary["harming"]) == (pytest.approx(1 / 3),) * 2
    assert_array_equal(a_map([[-0.5, 0.5, 0.25]], threshold=0.5).significant, [[True, True, False]])


def test_to_image_spreads_patches_and_crops_the_edge() -> None:
    image = a_map().to_image()
    assert image.shape == (10, 15)
    for row in range(10):
        for col in range(15):
            assert_array_equal(image[row, col], np.float32(EFFECT[row // 4, col // 4]))


def test_to_image_of_other_values_and_volumes() -> None:
    assert a_map().to_image(np.arange(12).reshape(3, 4))[9, 14] == 11
    volume = ATEMap(
        *(np.arange(8.0).reshape(2, 2, 2) for _ in range(2)), np.ones((2, 2, 2), int), 0.0, 0, 2,
        np.zeros((3, 4, 3), bool),
    )  # fmt: skip
    assert volume.to_image().shape == (3, 4, 3)
    assert volume.to_image()[2, 3, 0] == 6


def literal_significance(ate: ATEMap, rate: float = 0.05) -> np.ndarray:
    """Benjamini and Hochberg (1995): the largest k with p_(k) <= rate k / m; reject the k least."""
    chosen = np.zeros(ate.effect.shape, dtype=bool)
    tested = []
    for place in np.ndindex(*ate.effect.shape):
        effect, stderr = float(ate.effect[place]), float(ate.stderr[place])
        if math.isnan(effect):
            continue
        if stderr == 0:
            chosen[place] = abs(effect) >= max(ate.threshold, 1e-9)
        elif ate.samples[place] > 0:
            tail = 0.5 * math.erfc(abs(effect) / stderr / math.sqrt(2))
            tested.append((2 * tail, place))
    tested.sort()
    largest = max(
        (k for k, (p, _) in enumerate(tested, 1) if p <= rate * k / len(tested)), default=0
    )
    for _, place in tested[:largest]:
        chosen[place] = True
    return chosen


@quick
@given(seed=st.integers(0, 10_000), spread=st.floats(0.05, 3))
def test_significance_is_benjamini_hochberg(seed: int, spread: float) -> None:
    rng = np.random.default_rng(seed)
    effect = rng.normal(0, 1, (5, 6)) * rng.choice([0.0, 1, 4], (5, 6))
    effect[0, :2] = np.nan
    stderr = spread * rng.random((5, 6)) * rng.choice([0.0, 1], (5, 6), p=[0.2, 0.8])
    ate = a_map(effect, stderr)
    ate.samples[1] = 0
    assert_array_equal(ate.significant, literal_significance(ate))


def test_what_is_not_measured_is_not_significant() -> None:
    ate = a_map([[0.0, 5.0]], [[np.inf, 1.0]])
    ate.samples[0, 0] = 0
    assert_array_equal(ate.significant, [[False, True]])


def test_nothing_is_significant_in_noise() -> None:
    rng = np.random.default_rng(0)
    hits = [a_map(rng.normal(0, 1, (10, 10)), 1.0).significant.any() for _ in range(200)]
    assert np.mean(hits) < 0.1


def test_to_dataframe_has_a_row_per_patch() -> None:
    table = a_map(stderr=0.5).to_dataframe()
    assert list(table.columns) == ["top", "left", "effect", "stderr", "samples", "significant"]
    assert len(table) == 11
    row = table[(table.top == 8) & (table.left == 4)].iloc[0]
    assert (row.effect, row.stderr, row.samples) == (3.0, 0.5, 10)
    assert bool(row.significant)


def test_to_xarray_is_centred_on_the_patches() -> None:
    data = a_map().to_xarray()
    assert_array_equal(data.effect.values, EFFECT.astype(np.float32))
    assert_allclose(data.y, [2, 6, 9])
    assert_allclose(data.x, [2, 6, 10, 13.5])
    assert data.attrs["units"] == "points"
    assert data.sel(y=9, x=13.5).effect == np.float32(-0.03)


def computed() -> ATEMap:
    bank = PatchBank(picture(3, 1, 5, 5, seed=2))
    return ate_map(
        SmallNet(), picture(1, 17, 22), box((17, 22), slice(4, 9), slice(6, 12)),
        patch_size=np.int64(5), baseline=bank, samples=np.int64(4), seed=np.int64(3),
        threshold=np.float32(0.5),
    )  # fmt: skip


def test_a_file_gives_the_same_map(tmp_path: Path) -> None:
    ate = computed()
    ate.save(tmp_path / "case.npz")
    loaded = ATEMap.load(str(tmp_path / "case.npz"))
    for name in ("effect", "stderr", "samples", "region"):
        assert_array_equal(getattr(loaded, name), getattr(ate, name))
        assert getattr(loaded, name).dtype == getattr(ate, name).dtype
    for name in ("base", "evaluations", "patch_size", "engine", "reason"):
        assert getattr(loaded, name) == getattr(ate, name)
    assert dict(loaded.recipe) == dict(ate.recipe)
    assert loaded.summary() == ate.summary()
    assert [f.name for f in tmp_path.iterdir()] == ["case.npz"]


def test_a_failed_save_leaves_the_old_file(tmp_path: Path) -> None:
    ate = computed()
    ate.save(tmp_path / "case.npz")
    before = (tmp_path / "case.npz").read_bytes()
    with pytest.raises(TypeError):
        a_map(odd=object()).save(tmp_path / "case.npz")
    assert (tmp_path / "case.npz").read_bytes() == before
    assert len(list(tmp_path.iterdir())) == 1


def test_a_missing_file_is_missing(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        ATEMap.load(tmp_path / "none.npz")


def test_damaged_files_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "case.npz"
    computed().save(file)
    whole = file.read_bytes()
    for length in (0, 1, 10, len(whole) // 2, len(whole) - 1):
        file.write_bytes(whole[:length])
        with pytest.raises(ValueError, match=r"case.npz' is not a saved result"):
            ATEMap.load(file)
    rng = np.random.default_rng(0)
    for place in rng.integers(0, len(whole), 40):
        spoilt = bytearray(whole)
        spoilt[place] ^= 0xFF
        file.write_bytes(bytes(spoilt))
        with suppress(ValueError):
            loaded = ATEMap.load(file)
            assert loaded.effect.shape == (4, 5)


def test_foreign_files_are_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.zeros(3))
    np.savez(tmp_path / "b.npz", effect=np.zeros(3))
    (tmp_path / "c.npz").write_text("effect,stderr\n1,2\n")
    torch.save({"effect": 1}, tmp_path / "d.pt")
    with zipfile.ZipFile(tmp_path / "e.zip", "w") as archive:
        archive.writestr("head.npy", "nothing")
    np.savez(tmp_path / "f.npz", head=np.frombuffer(b"[1]", np.uint8), effect=0)
    (tmp_path / "g").mkdir()
    for file in sorted(tmp_path.iterdir()):
        with pytest.raises(ValueError, match="is not a saved result"):
            ATEMap.load(file)


def test_files_of_other_results_and_later_versions_are_refused(tmp_path: Path) -> None:
    ate = computed()
    grids = {n: getattr(ate, n) for n in ("effect", "stderr", "samples", "region")}
    for name, head, text in (
        ("later.npz", b'{"format": 99}', "later version; upgrade pdcr_widgets"),
        ("other.npz", b'{"format": 1, "layers": 3}', "is not a saved map"),
    ):
        np.savez(tmp_path / name, head=np.frombuffer(head, np.uint8), **grids)
        with pytest.raises(ValueError, match=text):
            ATEMap.load(tmp_path / name)
