"""The page for people: whole without its script, and nothing but its own script and style may run in it."""

import re
import subprocess
from base64 import b64encode
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path
from shutil import which

import pytest

from exgs.server import page
from exgs.server.library import SceneReport
from exgs.server.page import SECURITY_HEADERS, render_page

SCENES = [
    SceneReport("room", 5_000_000, "ready", 1.0, size_bytes=1_250_000, splats=75_334),
    SceneReport("attic", 900, "failed", detail="it <b>cannot</b> be read"),
    SceneReport("garden", 2_000_000, "preparing", 0.25),
    SceneReport("cellar", 2_000_000, "new"),
    SceneReport("flat", 2_000_000, "ready", 1.0, "covers 98.0%", size_bytes=5000, splats=9),
]
URL = "http://127.0.0.1:8080"
FOLDER = Path(page.__file__).parent


class Reader(HTMLParser):
    """Collects the text of every element by its name, and whether each that must be closed is."""

    def __init__(self) -> None:
        super().__init__()
        self.text: dict[str, list[str]] = {}
        self.open: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open.append(tag)
        self.attributes += attrs
        self.text.setdefault(tag, []).append("")

    def handle_endtag(self, tag: str) -> None:
        while self.open.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        if self.open:
            self.text[self.open[-1]][-1] += data


def read(html: str) -> Reader:
    reader = Reader()
    reader.feed(html)
    return reader


def test_the_policy_lets_run_exactly_what_the_page_has() -> None:
    reader, policy = read(render_page(URL, SCENES)), SECURITY_HEADERS["Content-Security-Policy"]
    for tag, rule in (("script", "script-src"), ("style", "style-src")):
        (text,) = reader.text[tag]
        digest = b64encode(sha256(text.encode()).digest()).decode()
        assert f"{rule} 'sha256-{digest}'" in policy
    assert "default-src 'none'" in policy and "unsafe" not in policy
    assert not [name for name, _ in reader.attributes if name == "style" or name.startswith("on")]


def test_scenes_stand_there_without_the_script() -> None:
    cells = read(render_page(URL, SCENES)).text["td"]
    assert cells[:5] == ["room", "5.0 MB", "1.2 MB", "75,334", "ready"]
    assert cells[5:7] == ["attic", "1 kB"] and cells[9] == "failed: it <b>cannot</b> be read"
    assert cells[14] == "being encoded, 25%" and cells[19] == "encoded when first played"
    assert cells[24] == "ready: covers 98.0%"
    assert f"exgs play {URL} --scene room" in read(render_page(URL, SCENES)).text["code"]


def test_where_a_token_is_needed_nothing_is_named() -> None:
    html = render_page(URL, None)
    assert "room" not in html and "--token" in html and "--scene NAME" in html
    assert '<section id="shelf" hidden>' in html


def test_a_server_without_scenes_says_so() -> None:
    assert "no scenes yet" in render_page(URL, [])


@pytest.mark.parametrize(
    "text", ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "&amp; $style"]
)
def test_text_from_outside_is_only_text(text: str) -> None:
    html = render_page(f"http://{text}", [SceneReport(text, 1, "failed", detail=text)])
    reader = read(html)
    assert reader.text["td"][0] == text and reader.text["td"][4] == f"failed: {text}"
    assert len(reader.text["script"]) == 1 and "img" not in reader.text


def test_the_script_writes_text_alone() -> None:
    script = (FOLDER / "page.js").read_text(encoding="utf-8")
    assert not re.search(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|localStorage", script
    )
    ids = set(re.findall(r'at\("([a-z-]+)"\)', script))
    assert ids <= set(re.findall(r'id="([a-z-]+)"', render_page(URL, SCENES)))


@pytest.mark.skipif(which("node") is None, reason="needs node to read JavaScript")
def test_the_script_is_sound() -> None:
    done = subprocess.run(["node", "--check", str(FOLDER / "page.js")], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
