"""What users install: the wheel holds the browser bundle and the demo weights, and no tests."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def wheel(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder)]
    done = subprocess.run([*build, str(repository)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    (path,) = folder.glob("*.whl")
    return zipfile.ZipFile(path)


def committed(repository: Path, folder: str) -> set[str]:
    listing = ["git", "ls-files", "--cached", "--others", "--exclude-standard", folder]
    found = subprocess.run(listing, cwd=repository, capture_output=True, text=True, check=True)
    return {name for name in found.stdout.splitlines() if (repository / name).is_file()}


@pytest.mark.parametrize("kind", ["static", "demo/weights"])
def test_the_wheel_holds_every_file_of(kind: str, wheel: zipfile.ZipFile, repository: Path) -> None:
    expected = committed(repository, f"pdcr_widgets/{kind}")
    assert expected
    assert expected <= set(wheel.namelist())


def test_the_wheel_holds_every_module_and_nothing_else(
    wheel: zipfile.ZipFile, repository: Path
) -> None:
    inside = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert inside == committed(repository, "pdcr_widgets")


def test_the_wheel_carries_its_licence(wheel: zipfile.ZipFile) -> None:
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in wheel.namelist())


def test_the_wheel_is_small(wheel: zipfile.ZipFile) -> None:
    assert sum(info.compress_size for info in wheel.infolist()) < 5_000_000
