"""Fuzzing led by coverage where atheris is installed: ``python tests/fuzz_coverage.py [cases]``."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

CASES = 2000
LIBRARIES = ["pdcr_widgets.images", "pydicom", "nibabel", "tifffile"]


def fuzz(name: str, cases: str) -> None:
    """Damage one kind of file, keeping what reaches new code; never returns."""
    import atheris

    with atheris.instrument_imports(include=LIBRARIES):
        from image_files import FILES

        from pdcr_widgets.images import open_image
    folder = Path(tempfile.mkdtemp())
    corpus = folder / "corpus"
    corpus.mkdir()
    FILES[name](corpus / name)

    def one(content: bytes) -> None:
        path = folder / name
        path.write_bytes(content)
        with suppress(ValueError):
            open_image(path, max_pixels=1_000_000)

    options = [f"-runs={cases}", "-timeout=5", "-rss_limit_mb=4096", str(corpus)]
    atheris.Setup([sys.argv[0], *options], one)
    atheris.Fuzz()


def main(cases: str = str(CASES)) -> int:
    """Fuzz every format in a process of its own; the number of formats that failed."""
    if importlib.util.find_spec("atheris") is None:
        sys.stderr.write("atheris is not installed here: no fuzzing led by coverage\n")
        return 0
    from image_files import FILES

    commands = [[sys.executable, __file__, name, cases] for name in FILES]
    return sum(subprocess.run(command).returncode != 0 for command in commands)


if __name__ == "__main__":
    if len(sys.argv) == 3:
        fuzz(*sys.argv[1:])
    sys.exit(main(*sys.argv[1:]))
