"""Files of a folder, and files dropped on the page, reach the explorer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from pages import Site
from playwright.sync_api import Locator, Page, expect
from watching import SOON_MS, STARTS_MS

CELLS = [
    """
from pathlib import Path
import nibabel, numpy as np
import pdcr_widgets as pdcr
case = pdcr.demo.load("brain")
root = Path("study"); (root / "patient" / ".hidden").mkdir(parents=True, exist_ok=True)
secret = Path("secret.npy"); np.save(secret, np.zeros((8, 8), np.float32))
(root / "link.npy").unlink(missing_ok=True); (root / "link.npy").symlink_to(secret.resolve())
array = case.image.numpy()
np.save(root / "slice.npy", array)
np.save(root / "truth.npy", case.truth.astype(np.uint8) * 2)
np.save(root / "small.npy", array[:, :64, :64])
(root / "notes.txt").write_text("nothing to see")
volume = np.stack([array[0] * share for share in (0.25, 0.5, 1.0, 0.5, 0.25)], axis=-1)
nibabel.save(nibabel.Nifti1Image(volume.transpose(1, 0, 2)[::-1, ::-1], np.diag([-1, -1, 3, 1.0])),
             root / "patient" / "volume.nii.gz")
labels = np.stack([case.truth * 3] * 5, axis=-1).astype(np.uint8)
nibabel.save(nibabel.Nifti1Image(labels.transpose(1, 0, 2)[::-1, ::-1], np.diag([-1, -1, 3, 1.0])),
             root / "patient" / "labels.nii.gz")
np.savez(root / "patient" / "both.npz", image=array[0], label=case.truth.astype(np.uint8) * 3)
""",
    "pdcr.Explorer(case.segmenter, folder=root, limit=2**20, with_layers=False)",
]


@pytest.fixture(params=["lab", "voila"])
def page(request: pytest.FixtureRequest) -> Page:
    site: Site = request.getfixturevalue(request.param)
    shown = site.open(CELLS)
    expect(shown.locator(".pdcr-files-row").first).to_be_visible(timeout=STARTS_MS)
    return shown


def row(page: Page, name: str) -> Locator:
    return page.locator(".pdcr-files-row", has_text=name)


def facts(page: Page) -> Locator:
    return page.locator(".pdcr-card", has_text="Files").locator(".pdcr-hint").last


def test_files_of_the_folder_are_opened(page: Page, shot: Callable[[str], Path]) -> None:
    names = page.locator(".pdcr-files-name").all_inner_texts()
    assert names == ["patient", "notes.txt", "slice.npy", "small.npy", "truth.npy"]
    row(page, "slice.npy").click()
    expect(facts(page)).to_contain_text("slice.npy; 1 channel of 224 x 192", timeout=SOON_MS)
    page.get_by_role("button", name="Truth", exact=True).click()
    row(page, "truth.npy").click()
    expect(facts(page)).to_contain_text("Truth: truth.npy, ", timeout=SOON_MS)
    row(page, "small.npy").click()
    note = page.locator(".pdcr-files-note")
    expect(note).to_contain_text("on another grid than the image", timeout=SOON_MS)
    row(page, "notes.txt").click()
    expect(note).to_contain_text("of no format that can be opened", timeout=SOON_MS)
    shot("refused")
    page.get_by_role("button", name="Image", exact=True).click()
    row(page, "patient").click()
    row(page, "volume.nii.gz").click()
    expect(note).to_be_hidden(timeout=SOON_MS)
    expect(facts(page)).to_contain_text("volume.nii.gz; 1 channel", timeout=SOON_MS)
    expect(page.get_by_text("The model is fed this axial slice")).to_be_visible(timeout=SOON_MS)
    shot("volume")


def test_a_truth_leaves_the_slice_and_may_come_from_the_images_own_file(
    page: Page, shot: Callable[[str], Path]
) -> None:
    row(page, "patient").click()
    row(page, "volume.nii.gz").click()
    words = page.locator(".pdcr-hint", has_text="The model is fed this")
    expect(words).to_contain_text("axial slice", timeout=SOON_MS)
    page.get_by_role("button", name="Coronal").click()
    expect(words).to_contain_text("coronal slice", timeout=SOON_MS)
    place = words.inner_text()
    page.get_by_role("button", name="Truth", exact=True).click()
    row(page, "labels.nii.gz").click()
    expect(facts(page)).to_contain_text("Truth: labels.nii.gz, ", timeout=SOON_MS)
    expect(words).to_have_text(place)
    shot("coronal_truth")
    page.get_by_role("button", name="Image", exact=True).click()
    row(page, "both.npz").click()
    choice = page.get_by_label("Array")
    choice.select_option(label="image", timeout=SOON_MS)
    expect(facts(page)).to_contain_text("both.npz; 1 channel of 224 x 192", timeout=SOON_MS)
    page.get_by_role("button", name="Truth", exact=True).click()
    row(page, "both.npz").click()
    choice.select_option(label="label", timeout=SOON_MS)
    expect(facts(page)).to_contain_text("Truth: both.npz, ", timeout=SOON_MS)
    shot("own_truth")


DROP = """(zone, files) => {
    const transfer = new DataTransfer();
    for (const [name, bytes] of files) {
        transfer.items.add(new File([new Uint8Array(bytes)], name));
    }
    for (const kind of ["dragenter", "dragover", "drop"]) {
        const options = { dataTransfer: transfer, bubbles: true, cancelable: true };
        zone.dispatchEvent(new DragEvent(kind, options));
    }
}"""


def test_a_file_is_dropped(page: Page, tmp_path: Path, shot: Callable[[str], Path]) -> None:

    picture = np.zeros((224, 192), np.float32)
    picture[64:128, 64:128] = 0.7
    np.save(tmp_path / "dropped.npy", picture)
    sent = [["dropped.npy", list((tmp_path / "dropped.npy").read_bytes())]]
    zone = page.locator(".pdcr-files-drop")
    zone.evaluate(DROP, sent)
    expect(facts(page)).to_contain_text("dropped.npy; 1 channel of 224 x 192", timeout=SOON_MS)
    zone.evaluate(DROP, [["huge.npy", [0] * (2**20 + 1)]])
    note = page.locator(".pdcr-files-note")
    expect(note).to_contain_text("more than the 1 MiB that may be sent", timeout=SOON_MS)
    page.locator(".pdcr-files-drop input").set_input_files(tmp_path / "dropped.npy")
    expect(note).to_be_hidden(timeout=SOON_MS)
    shot("dropped")
