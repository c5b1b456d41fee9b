"""The layout of the code: small files, few rooms, typed signatures, tests beside their rooms."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("capabilities", "scoring", "refstack_client", "refstack_server")
MAX_LINES = 350
MAX_ROOMS = 20
# Directories of tests that no room has, and what they are for.
TEST_DIRECTORIES = {
    "cloud": "certifications of the storage sandbox",
    "container": "the images",
    "data": "sample data",
    "platform": "certifications of the platform sandbox",
    "support": "what tests share",
}
UNTYPED = re.compile(r"\b[Dd]ict\[str, Any\]")


def modules(package: str) -> list[Path]:
    """Return the Python files of a package."""
    return sorted((ROOT / package).rglob("*.py"))


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("package", PACKAGES)
def test_files_are_short(package: str) -> None:
    lines = {
        relative(path): len(path.read_text(encoding="utf-8").splitlines())
        for path in modules(package)
    }
    assert {path: number for path, number in lines.items() if number > MAX_LINES} == {}


def test_the_client_has_few_rooms() -> None:
    entries = (ROOT / "refstack_client").iterdir()
    rooms = {
        path.stem for path in entries if path.suffix == ".py" or (path / "__init__.py").exists()
    }
    assert len(rooms - {"__init__"}) <= MAX_ROOMS, sorted(rooms)


def untyped(source: str) -> Iterator[tuple[int, str]]:
    """Yield line and name of each public function with ``dict[str, Any]`` in its signature."""

    def visit(body: list[ast.stmt]) -> Iterator[tuple[int, str]]:
        for node in body:
            name = getattr(node, "name", "_")
            if name.startswith("_") and name != "__init__":
                continue
            if isinstance(node, ast.ClassDef):
                yield from visit(node.body)
            elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and UNTYPED.search(
                f"{ast.unparse(node.args)} {unparse(node.returns)}"
            ):
                yield node.lineno, name

    yield from visit(ast.parse(source).body)


def unparse(node: ast.expr | None) -> str:
    return ast.unparse(node) if node else ""


@pytest.mark.parametrize("package", PACKAGES)
def test_public_signatures_have_no_untyped_documents(package: str) -> None:
    lines = [
        f"{relative(path)}:{line}: {name} has dict[str, Any] in its signature"
        for path in modules(package)
        for line, name in untyped(path.read_text(encoding="utf-8"))
    ]
    if lines:
        pytest.fail("\n".join(lines), pytrace=False)


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("def f(x: dict[str, Any]): ...", ["f"]),
        ("async def f(x) -> 'list[dict[str, Any]] | None': ...", ["f"]),
        ("class C:\n def m(self, *, x: Dict[str, Any]): ...", ["m"]),
        ("class C:\n def __init__(self, x: dict[str, Any]): ...", ["__init__"]),
        ("def _f(x: dict[str, Any]): ...", []),
        ("class _C:\n def m(self, x: dict[str, Any]): ...", []),
        ("def f(x: dict[str, int]):\n y: dict[str, Any] = {}", []),
    ],
)
def test_untyped_signatures_are_found(source: str, names: list[str]) -> None:
    assert [name for _, name in untyped(source)] == names


def test_every_directory_of_tests_mirrors_a_room() -> None:
    tests = ROOT / "tests"
    directories = {path.parent.relative_to(tests) for path in tests.rglob("test_*.py")}
    strangers = {
        str(directory)
        for directory in directories
        if directory.parts and directory.parts[0] not in TEST_DIRECTORIES
        if not (ROOT / directory).is_dir()
    }
    assert strangers == set()
