"""Import directions: the laws of docs/architecture.md, read from the sources."""

import ast
import functools
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[2] / "exgs"
ROOMS = (
    "scene",
    "raster",
    "codec",
    "weights",
    "training",
    "painter",
    "feedforward",
    "protocol",
    "server",
    "client",
    "experiments",
    "cli",
)
MAY_IMPORT = {
    "scene": set(),
    "raster": {"scene"},
    "codec": {"scene", "raster"},
    "weights": {"scene"},
    "training": {"scene", "weights"},
    "painter": {"scene", "raster", "codec", "weights", "training"},
    "feedforward": {"scene", "raster", "weights", "training"},
    "protocol": set(),
    "server": {"scene", "raster", "codec", "weights", "feedforward", "protocol"},
    "client": {"scene", "raster", "codec", "painter", "protocol"},
    "experiments": {"scene", "raster", "codec", "protocol", "server", "client"},
    "cli": set(ROOMS),
}


@functools.cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@functools.cache
def imports(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names |= {node.module or ""} | {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def sources(room: str) -> list[Path]:
    return sorted((PACKAGE / room).rglob("*.py"))


@pytest.mark.parametrize("room", ROOMS)
def test_rooms_import_only_what_lies_below(room: str) -> None:
    assert sources(room)
    for path in sources(room):
        rooms = {name.split(".")[1] for name in imports(path) if name.startswith("exgs.")}
        strange = (rooms & set(ROOMS)) - MAY_IMPORT[room] - {room}
        assert not strange, f"{path.relative_to(PACKAGE)} imports {sorted(strange)}"


@pytest.mark.parametrize(
    ("package", "allowed"),
    [
        ("aiortc", {"protocol/drivers/webrtc.py"}),
        ("gsplat", {"raster/cuda.py"}),
        ("aiohttp", {"server", "client", "protocol/drivers/websocket.py"}),
        ("numba", {"raster/kernel.py", "codec/kernel.py"}),
        ("argparse", {"cli"}),
    ],
)
def test_each_library_has_its_place(package: str, allowed: set[str]) -> None:
    for path in sorted(PACKAGE.rglob("*.py")):
        if any(name == package or name.startswith(package + ".") for name in imports(path)):
            place = path.relative_to(PACKAGE)
            assert {str(place), place.parts[0]} & allowed, f"{place} imports {package}"


WORKSHOPS = ("scene", "raster", "codec", "weights", "training", "painter", "feedforward")
FORBIDDEN_IN_WORKSHOPS = {"time", "socket", "asyncio", "random", "datetime", "secrets", "uuid"}


@pytest.mark.parametrize("room", WORKSHOPS)
def test_workshops_see_no_clock_socket_or_chance(room: str) -> None:
    for path in sources(room):
        strange = {name.split(".")[0] for name in imports(path)} & FORBIDDEN_IN_WORKSHOPS
        assert not strange, f"{path.relative_to(PACKAGE)} imports {sorted(strange)}"
        assert "os.environ" not in path.read_text(encoding="utf-8"), f"{path} reads the environment"


@pytest.mark.parametrize("room", [room for room in WORKSHOPS if room != "raster"])
def test_workshops_are_told_what_draws(room: str) -> None:
    for path in sources(room):
        chosen = {name for name in imports(path) if name.endswith(".choose_rasterizer")}
        assert not chosen, f"{path.relative_to(PACKAGE)} chooses a rasteriser"


def test_the_protocol_core_is_sans_io() -> None:
    for path in (PACKAGE / "protocol").glob("*.py"):
        strange = {name.split(".")[0] for name in imports(path)} & (
            FORBIDDEN_IN_WORKSHOPS | {"aiohttp", "threading"}
        )
        assert not strange, f"{path.name} imports {sorted(strange)}"


def test_only_the_command_line_reads_the_environment() -> None:
    for path in sorted(PACKAGE.rglob("*.py")):
        if path.relative_to(PACKAGE).parts[0] != "cli":
            assert "os.environ" not in path.read_text(encoding="utf-8"), f"{path} reads the environment"


def loaded_by(code: str) -> set[str]:
    """The modules there are after ``code``."""
    words = [sys.executable, "-c", f"import sys; {code}; print(*sys.modules)"]
    return set(subprocess.run(words, capture_output=True, text=True, check=True).stdout.split())


def test_to_decode_does_not_import_the_encoder() -> None:
    loaded = loaded_by("from exgs.codec import decode")
    assert "exgs.codec.decoder" in loaded
    assert not {name for name in loaded if name.startswith(("exgs.codec.encoding", "exgs.codec.writing"))}


def test_to_ask_how_a_scene_may_be_encoded_imports_nothing_heavy() -> None:
    loaded = loaded_by("from exgs.codec import METHODS, PRESETS, EncodeConfig; EncodeConfig(effort='best')")
    assert "exgs.codec.encoding.config" in loaded
    assert not loaded & {"numpy", "numba", "exgs.codec.decoder", "exgs.raster"}


def test_every_name_of_the_codec_is_found() -> None:
    from exgs import codec

    assert all(getattr(codec, name) is not None for name in codec.__all__)


@pytest.mark.parametrize(
    ("lower", "higher"), [("decoder", "writing"), ("decoder", "encoding"), ("writing", "encoding")]
)
def test_the_decoder_knows_no_writer_and_the_writer_no_pictures(lower: str, higher: str) -> None:
    """Not inside functions either, which the test above would not see."""
    inner = {"decoder": ("*.py", "entropy/*.py"), "writing": ("writing/*.py",)}[lower]
    paths = [path for pattern in inner for path in sorted((PACKAGE / "codec").glob(pattern))]
    assert len(paths) > 5
    for path in paths:
        strange = {name for name in imports(path) if name.startswith(f"exgs.codec.{higher}")}
        assert not strange or path == PACKAGE / "codec/__init__.py", f"{path.name} imports {sorted(strange)}"


def test_the_writer_of_the_bitstream_draws_nothing() -> None:
    for path in (PACKAGE / "codec" / "writing").glob("*.py"):
        assert not {name for name in imports(path) if name.startswith("exgs.raster")}, path.name
