"""Public names: sorted, resolvable, described, and importable with torch and numpy only."""

from __future__ import annotations

import inspect
import subprocess
import sys

import pytest

import pdcr_widgets

BLOCKED = [
    "IPython",
    "PIL",
    "SimpleITK",
    "anywidget",
    "bqplot",
    "ipycanvas",
    "ipykernel",
    "ipywidgets",
    "matplotlib",
    "monai",
    "nibabel",
    "nilearn",
    "onnxruntime",
    "pandas",
    "pydicom",
    "safetensors",
    "scipy",
    "tifffile",
    "traitlets",
    "xarray",
]
WITHOUT_EXTRAS = f"""
import importlib, pkgutil, sys

class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {BLOCKED!r}:
            raise ImportError(f"{{name}} is not installed here")

sys.meta_path.insert(0, Blocker())
import numpy as np
import pdcr_widgets as pdcr

def walk(package):
    for info in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        yield importlib.import_module(info.name)

import pdcr_widgets.images, pdcr_widgets.models
parts = (pdcr.causal, pdcr.evaluate, pdcr_widgets.images, pdcr_widgets.models)
names = [module.__name__ for part in parts for module in walk(part)]
image = np.random.default_rng(0).random((1, 16, 16), dtype=np.float32)
found = pdcr.ate_map(lambda x: x, image, (4, 4, 4, 4), patch_size=4, samples=2)
print(len(names), found.effect.shape)
"""


def run(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)


def test_the_method_needs_torch_and_numpy_only() -> None:
    done = run(WITHOUT_EXTRAS)
    assert done.returncode == 0, done.stderr
    modules, shape = done.stdout.split(maxsplit=1)
    assert int(modules) > 5
    assert shape.strip() == "(4, 4)"


def test_importing_the_package_loads_no_widgets() -> None:
    done = run(f"import sys, pdcr_widgets; print(sorted(set({BLOCKED!r}) & set(sys.modules)))")
    assert done.stdout.strip() == "[]", done.stderr


def test_public_names_are_sorted() -> None:
    assert list(pdcr_widgets.__all__) == sorted(set(pdcr_widgets.__all__))


@pytest.mark.parametrize("name", pdcr_widgets.__all__)
def test_a_public_name_is_there_and_described(name: str) -> None:
    value = getattr(pdcr_widgets, name)
    assert name in dir(pdcr_widgets)
    assert inspect.getdoc(value), f"{name} has no docstring"


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = pdcr_widgets.nothing
