"""The page that a person sees who opens the server in a browser."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from exgs.server.library import SceneReport
from exgs.version import __version__

SECURITY_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:46em;margin:3em auto;padding:0 1em}"
    "table{border-collapse:collapse}td,th{text-align:left;padding:.2em 1.5em .2em 0}"
    "code{background:#8882;padding:.1em .3em;border-radius:3px}:root{color-scheme:light dark}"
)


def render_page(url: str, scenes: Sequence[SceneReport] | None) -> str:
    """HTML for a person: the scenes, or, where None, that a token is needed; and how to play one."""
    if scenes is None:
        body = "<p>This server asks for a token: <code>exgs play</code> takes it as <code>--token</code>.</p>"
        name = "NAME"
    else:
        body = _table(scenes)
        name = scenes[0].name if scenes else "NAME"
    play = f"exgs play {url} --scene {name}"
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>exgs</title>'
        f"<style>{_STYLE}</style><h1>exgs</h1>"
        f"<p>3D Gaussian Splatting scenes, streamed over WebRTC. Version {escape(__version__)}.</p>"
        f"{body}<p>To play one: <code>{escape(play)}</code></p>"
        '<p>For programs: <a href="scenes">scenes</a>, <a href="metrics">metrics</a>, '
        '<a href="healthz">health</a>.</p></html>'
    )


def _table(scenes: Sequence[SceneReport]) -> str:
    if not scenes:
        return "<p>There are no scenes yet: put one into the folder that is served.</p>"
    rows = "".join(
        f"<tr><td>{escape(scene.name)}<td>{_size(scene.source_bytes)}<td>{escape(_state(scene))}"
        for scene in scenes
    )
    return f"<table><tr><th>Scene<th>On disk<th>State{rows}</table>"


def _state(scene: SceneReport) -> str:
    if scene.state == "preparing":
        return f"being encoded, {scene.progress:.0%}"
    if scene.state == "failed":
        return f"failed: {scene.detail}"
    if scene.state == "new":
        return "encoded when first played"
    return f"ready, {_size(scene.size_bytes)}"


def _size(size_bytes: int) -> str:
    return f"{size_bytes / 1e6:.1f} MB" if size_bytes >= 1_000_000 else f"{size_bytes / 1e3:.0f} kB"
