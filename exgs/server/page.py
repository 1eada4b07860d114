"""The page that a person sees who opens the server in a browser.

It is whole without its script, but for sessions and rates, which the script reads from ``status``. The
content policy lets exactly this script and this style in, by their hashes.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from hashlib import sha256
from html import escape
from importlib.resources import files
from string import Template

from exgs.server.library import SceneReport
from exgs.version import __version__


def _part(name: str) -> str:
    return files("exgs.server").joinpath(name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    """What a content policy calls an inline script or style."""
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


_TEMPLATE, _STYLE, _SCRIPT = Template(_part("page.html")), _part("page.css"), _part("page.js")
SECURITY_HEADERS = {
    "Content-Security-Policy": (
        f"default-src 'none'; script-src {_hash(_SCRIPT)}; style-src {_hash(_STYLE)}; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


def render_page(url: str, scenes: Sequence[SceneReport] | None) -> str:
    """HTML for a person: the scenes, or, where None, that a token is needed; and how to play one."""
    name = scenes[0].name if scenes else "NAME"
    return _TEMPLATE.substitute(
        style=_STYLE,
        script=_SCRIPT,
        version=escape(__version__),
        shelf="" if scenes is not None else " hidden",
        scenes="".join(_row(scene) for scene in scenes or ()),
        hint=_hint(scenes),
        play=escape(f"exgs play {url} --scene {name}"),
    )


def _hint(scenes: Sequence[SceneReport] | None) -> str:
    if scenes is None:
        return "<code>exgs play</code> takes the server's token as <code>--token</code>."
    return "" if scenes else "There are no scenes yet: put one into the folder that is served."


def _row(scene: SceneReport) -> str:
    streamed = _size(scene.size_bytes) if scene.size_bytes else ""
    splats = f"{scene.splats:,}" if scene.splats else ""
    return (
        f'<tr><td>{escape(scene.name)}<td class="n">{_size(scene.source_bytes)}<td class="n">{streamed}'
        f'<td class="n">{splats}<td class="{escape(scene.state)} why">{escape(_state(scene))}'
    )


def _state(scene: SceneReport) -> str:
    if scene.state == "preparing":
        return f"being encoded, {scene.progress:.0%}"
    if scene.state == "new":
        return "encoded when first played"
    return f"{scene.state}: {scene.detail}" if scene.detail else scene.state


def _size(size_bytes: int) -> str:
    return f"{size_bytes / 1e6:.1f} MB" if size_bytes >= 1_000_000 else f"{size_bytes / 1e3:.0f} kB"
