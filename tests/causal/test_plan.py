"""Where interventions are made, against masks written out pixel by pixel."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from toys import box, picture, quick

from pdcr_widgets.causal.boxes import pasted
from pdcr_widgets.causal.plan import PatchGrid, fit, tile


@st.composite
def grids(draw: st.DrawFn) -> PatchGrid:
    spatial = tuple(draw(st.lists(st.integers(5, 13), min_size=2, max_size=3)))
    region = np.zeros(spatial, dtype=bool)
    for _ in range(draw(st.integers(1, 2))):
        corner = [draw(st.integers(0, n - 1)) for n in spatial]
        sides = [draw(st.integers(1, 3)) for _ in spatial]
        region[tuple(slice(c, c + s) for c, s in zip(corner, sides, strict=True))] = True
    return PatchGrid(spatial, draw(st.integers(1, 2)), region)


def covered(grid: PatchGrid, cell: int) -> np.ndarray:
    """The pixels of a cell, as a mask."""
    mask = np.zeros(grid.spatial, dtype=bool)
    start = np.array(np.unravel_index(cell, grid.shape)) * grid.patch_size
    mask[tuple(slice(a, a + grid.patch_size) for a in start)] = True
    return mask


@quick
@given(grids())
def test_cells_are_all_patches_that_do_not_touch_the_region(grid: PatchGrid) -> None:
    every = np.zeros(grid.spatial, dtype=int)
    for cell in range(int(np.prod(grid.shape))):
        mask = covered(grid, cell)
        every += mask
        assert (mask & grid.region).any() == (cell not in grid.cells)
    assert (every == 1).all(), "patches tile the image"


@quick
@given(grids())
def test_nearest_cells_come_first(grid: PatchGrid) -> None:
    inside = np.argwhere(grid.region)
    low, high = inside.min(axis=0), inside.max(axis=0) + 1
    centres = grid.starts(grid.cells) + grid.patch_size / 2
    distances = [np.linalg.norm(c - np.clip(c, low, high)) for c in centres]
    assert_array_equal(distances, sorted(distances))


@quick
@given(grids(), st.integers(2, 4))
def test_groups_hold_each_cell_once_and_none_that_touches(grid: PatchGrid, factor: int) -> None:
    cells, corners = grid.groups(factor)
    members = cells[cells >= 0]
    assert_array_equal(np.sort(members), np.sort(grid.cells))
    for group, corner in zip(cells, corners, strict=True):
        offsets = itertools.product(range(factor), repeat=len(grid.shape))
        for cell, offset in zip(group, offsets, strict=True):
            if cell >= 0:
                assert tuple(corner + offset) == np.unravel_index(cell, grid.shape)


@quick
@given(grids(), st.integers(2, 4))
def test_nearest_groups_come_first(grid: PatchGrid, factor: int) -> None:
    nearest = [grid.distance(group[group >= 0]).min() for group in grid.groups(factor)[0]]
    assert_array_equal(nearest, sorted(nearest))


@quick
@given(grids(), st.integers(2, 4))
def test_a_group_pastes_exactly_its_cells(grid: PatchGrid, factor: int) -> None:
    """The whole path of a coarse intervention: laid out, kept pixels kept, edges cropped."""
    image = torch.zeros(1, *grid.spatial)
    cells, corners = grid.groups(factor)
    numbers = torch.arange(1.0, cells.size + 1).reshape(*cells.shape, *[1] * (1 + len(grid.shape)))
    content = tile(numbers.expand(*cells.shape, 1, *grid.size), factor, grid.size)
    stays = torch.as_tensor(cells < 0).reshape(*cells.shape, *[1] * (1 + len(grid.shape)))
    keep = tile(stays.expand(*cells.shape, 1, *grid.size), factor, grid.size)[:, 0].numpy()
    starts, fitted = fit(image, corners * grid.patch_size, content, keep)
    written = pasted(image, starts, fitted)[:, 0].numpy()
    for row, group in enumerate(cells):
        expected = np.zeros(grid.spatial)
        for place, cell in enumerate(group):
            if cell >= 0:
                expected[covered(grid, cell)] = numbers.flatten()[row * cells.shape[1] + place]
        assert_array_equal(written[row], expected)


@quick
@given(
    spatial=st.lists(st.integers(2, 9), min_size=2, max_size=3),
    side=st.integers(1, 12),
    data=st.data(),
)
def test_a_box_that_leaves_the_image_is_cropped(
    spatial: list[int], side: int, data: st.DataObject
) -> None:
    image = picture(2, *spatial)
    starts = np.array([[data.draw(st.integers(0, n - 1)) for n in spatial] for _ in "abc"])
    content = picture(3, 2, *[side] * len(spatial), seed=1)
    moved, fitted = fit(image, starts, content)
    assert (moved >= 0).all()
    assert (moved + np.array(fitted.shape[2:]) <= spatial).all()
    written = pasted(image, moved, fitted)
    for i, start in enumerate(starts):
        expected = image.clone()
        room = [min(side, n - a) for a, n in zip(start, spatial, strict=True)]
        into = tuple(slice(a, a + n) for a, n in zip(start, room, strict=True))
        part = tuple(slice(0, n) for n in room)
        expected[(slice(None), *into)] = content[i][(slice(None), *part)]
        torch.testing.assert_close(written[i], expected, rtol=0, atol=0)


def test_the_last_patch_of_an_axis_is_kept() -> None:
    grid = PatchGrid((9, 6), 4, box((9, 6), slice(0, 1), slice(0, 1)))
    assert grid.shape == (3, 2)
    assert_array_equal(np.sort(grid.cells), [1, 2, 3, 4, 5])


@pytest.mark.parametrize(
    ("size", "error", "text"),
    [
        (0, ValueError, "patch_size must be at least 1, got 0"),
        (7, ValueError, r"patch_size must be 1\.\.6 pixels on an image of \(9, 6\), got 7"),
        (2.5, TypeError, "whole number"),
        ("8", TypeError, "whole number.*'8'"),
        (True, TypeError, "whole number"),
        (6, ValueError, "no 6-pixel patch lies outside the region.*smaller patches"),
    ],
)
def test_a_bad_patch_size_is_refused(size: object, error: type[Exception], text: str) -> None:
    region = box((9, 6), slice(3, 8), slice(0, 6))
    with pytest.raises(error, match=text):
        PatchGrid((9, 6), size, region)  # type: ignore[arg-type]


def test_a_whole_float_is_a_patch_size() -> None:
    grid = PatchGrid((9, 6), np.float64(3), box((9, 6), slice(0, 1), slice(0, 1)))  # type: ignore[arg-type]
    assert grid.patch_size == 3
    assert type(grid.patch_size) is int
