"""Sizes and names of the house."""

import ast
import functools
import re
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[2] / "exgs"
REPOSITORY = PACKAGE.parent
MODULE_LINES = 300
FUNCTION_LINES = 50
PARAMETERS = 8
VAGUE = {"utils", "helpers", "common", "manager", "misc"}


@functools.cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def functions() -> list[tuple[Path, ast.FunctionDef | ast.AsyncFunctionDef]]:
    return [
        (path, node)
        for path in sorted(PACKAGE.rglob("*.py"))
        for node in ast.walk(tree(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]


def is_kernel(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Numba kernels take arrays one by one and may not call methods: their sizes are their own."""
    return any(ast.unparse(decorator) in ("kernel", "inlined") for decorator in node.decorator_list)


def test_modules_stay_readable() -> None:
    for path in sorted(PACKAGE.rglob("*.py")):
        lines = len(path.read_text(encoding="utf-8").splitlines())
        assert lines <= MODULE_LINES, f"{path.relative_to(PACKAGE)} has {lines} lines"


def test_functions_stay_readable() -> None:
    lengths = []
    for path, node in functions():
        if is_kernel(node):
            continue
        length = (node.end_lineno or node.lineno) - node.lineno + 1
        lengths.append(length)
        assert length <= FUNCTION_LINES, (
            f"{path.relative_to(PACKAGE)}:{node.lineno} {node.name}: {length} lines"
        )
    lengths.sort()
    assert lengths[len(lengths) // 2] <= 13
    assert lengths[len(lengths) * 9 // 10] <= 40


def test_functions_take_few_parameters() -> None:
    for path, node in functions():
        if not is_kernel(node):
            count = len(node.args.args) + len(node.args.kwonlyargs)
            assert count <= PARAMETERS, (
                f"{path.relative_to(PACKAGE)}:{node.lineno} {node.name}: {count} parameters"
            )


def test_names_say_what_they_hold() -> None:
    for path in sorted(PACKAGE.rglob("*.py")):
        assert path.stem not in VAGUE, path


def test_top_level_links_lead_into_the_package() -> None:
    for room in ("server", "client", "codec", "protocol"):
        assert (REPOSITORY / room).is_symlink()
        assert (REPOSITORY / room).resolve() == PACKAGE / room


def test_no_exception_is_swallowed_whole() -> None:
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.ExceptHandler):
                assert node.type is not None, f"{path}:{node.lineno}: bare except"
                silent = len(node.body) == 1 and isinstance(node.body[0], ast.Pass)
                assert not silent, f"{path}:{node.lineno}: except and pass"


def test_the_architecture_names_the_modules_of_the_encoder() -> None:
    text = (REPOSITORY / "docs" / "architecture.md").read_text(encoding="utf-8")
    table, below = text[text.index("| step | modules |") :].split("\n\n")[:2]
    named = {name for row in table.splitlines()[2:] for name in re.findall(r"`(\w+)`", row)}
    rooms = [PACKAGE / "codec" / room for room in ("encoding", "writing")]
    there = {path.stem for room in rooms for path in room.glob("*.py")} - {"__init__"}
    assert not named - there, f"docs/architecture.md names {sorted(named - there)}"
    missing = there - named - set(re.findall(r"`(\w+)`", below))
    assert not missing, f"docs/architecture.md does not name {sorted(missing)}"


def test_every_file_named_in_the_readme_exists() -> None:
    text = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#:]+)\)", text):
        assert (REPOSITORY / target).exists(), f"README.md links to {target}"
