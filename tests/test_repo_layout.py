"""The layout that CONTRIBUTING promises: imports point one way, files and functions stay short."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "pdcr_widgets"
MODULES = sorted(PACKAGE.rglob("*.py"))
SOURCES = [
    *MODULES,
    *sorted((ROOT / "tests").rglob("*.py")),
    *sorted((ROOT / "js" / "src").rglob("*.ts")),
    *sorted((ROOT / "js" / "test").rglob("*.ts")),
]
MAY_KNOW = {
    "causal": set(),
    "images": {"causal"},
    "models": {"causal"},
    "export": {"causal", "evaluate", "images"},
    "demo": {"causal"},
    "evaluate": {"causal"},
    "study": {"causal"},
    "session": {"causal", "evaluate"},
    "as_code": {"causal", "demo", "session"},
    "keeping": {"as_code", "export", "session"},
    "widgets": {
        "as_code",
        "causal",
        "evaluate",
        "images",
        "keeping",
        "models",
        "session",
    },
    "lessons": {"causal", "evaluate", "session", "widgets"},
    "classroom": {"demo", "lessons", "session"},
}
SESSION = (
    "answers",
    "cut",
    "exits",
    "failures",
    "fed",
    "inputs",
    "inside",
    "judging",
    "lens",
    "progress",
    "request",
    "runner",
    "signals",
    "swept",
    "turns",
    "twin",
    "unpainted",
)
PART_OF = dict.fromkeys(SESSION, "session") | {"as_code": "as_code", "keeping": "keeping"}
TOP_LEVEL = {
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "LICENSE",
    "Makefile",
    "README.md",
    "docs",
    "js",
    "notebooks",
    "pdcr_widgets",
    "pyproject.toml",
    "tests",
}
BUILT = {"build", "dist"}
PURE = [m for part in ("causal", "evaluate") for m in sorted((PACKAGE / part).rglob("*.py"))]
LONGEST_FILE = 300
LONGEST_FUNCTION = 40


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def layer_of(path: Path) -> str:
    part = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    return PART_OF.get(part, part)


def imported(tree: ast.AST, path: Path) -> Iterator[str]:
    """Absolute names of what a module imports, at its top and inside its functions."""
    package = ["pdcr_widgets", *path.relative_to(PACKAGE).parts[:-1]]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            near = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*near, *([node.module] if node.module else [])])
            yield from (f"{module}.{alias.name}" for alias in node.names)


def layers_known(path: Path) -> set[str]:
    parts = [name.split(".") for name in imported(ast.parse(path.read_text()), path)]
    ours = {p[1] for p in parts if p[0] == "pdcr_widgets" and len(p) > 1}
    return {PART_OF.get(part, part) for part in ours}


@pytest.mark.parametrize(
    "path", [m for m in MODULES if m.parent != PACKAGE or m.stem in PART_OF], ids=name_of
)
def test_imports_point_one_way(path: Path) -> None:
    layer = layer_of(path)
    assert layer in MAY_KNOW, f"say in MAY_KNOW what {layer} may know about"
    wrong = layers_known(path) - MAY_KNOW[layer] - {layer}
    assert not wrong, f"{name_of(path)} is in {layer} and imports {sorted(wrong)}"


def test_an_arrow_that_points_back_is_found(tmp_path: Path) -> None:
    code = "def f():\n    from ..widgets import Explorer\n    from .. import session\n"
    names = set(imported(ast.parse(code), PACKAGE / "causal" / "ate.py"))
    assert names == {"pdcr_widgets.widgets.Explorer", "pdcr_widgets.session"}


@pytest.mark.parametrize("path", PURE, ids=name_of)
def test_the_method_starts_with_torch_and_numpy_only(path: Path) -> None:
    top = [
        n for n in ast.parse(path.read_text()).body if isinstance(n, ast.Import | ast.ImportFrom)
    ]
    names = imported(ast.Module(body=top, type_ignores=[]), path)
    known = {"torch", "numpy", "pdcr_widgets", *sys.stdlib_module_names} - {"asyncio"}
    assert {name.partition(".")[0] for name in names} <= known


@pytest.mark.parametrize("path", PURE, ids=name_of)
def test_the_method_neither_prints_nor_starts_threads(path: Path) -> None:
    nodes = list(ast.walk(ast.parse(path.read_text())))
    used = {node.id for node in nodes if isinstance(node, ast.Name)}
    used |= {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    assert not used & {"print", "Thread", "ThreadPoolExecutor", "Process", "manual_seed_all"}


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_files_are_short(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= LONGEST_FILE, "which noun is missing?"


def length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of a function without its docstring."""
    docstring = ast.get_docstring(function, clean=False)
    told = docstring.count("\n") + 1 if docstring else 0
    return (function.end_lineno or 0) - function.lineno + 1 - told


@pytest.mark.parametrize("path", [s for s in SOURCES if s.suffix == ".py"], ids=name_of)
def test_functions_are_short(path: Path) -> None:
    functions = [
        node
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    long = [f"{f.name}: {length(f)} lines" for f in functions if length(f) > LONGEST_FUNCTION]
    assert not long


def test_the_top_level_holds_what_it_should() -> None:
    found = {path.name for path in ROOT.iterdir() if not path.name.startswith(".")}
    assert found - BUILT - TOP_LEVEL == set()
