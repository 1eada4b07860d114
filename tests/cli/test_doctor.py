"""doctor: one line each, with the remedy where something is missing."""

import importlib.metadata
import importlib.util
import json
import socket
import sys
from types import SimpleNamespace

import pytest

from tests.cli.conftest import Command


def test_every_line_has_a_verdict(exgs: Command) -> None:
    code, out, _ = exgs("doctor")
    assert code == 0
    lines = out.splitlines()
    assert all(line.split()[0] in ("ok", "MISS", "-") for line in lines)
    for subject in ("python", "rasteriser", "CUDA", "gsplat", "onnxruntime", "restorer", "reconstruct",
                    "OpenXR", "port"):  # fmt: skip
        assert any(subject in line for line in lines), subject


def test_what_is_missing_has_a_remedy(exgs: Command) -> None:
    findings = json.loads(exgs("doctor", "--json")[1])
    assert all(finding["ok"] or finding["remedy"] for finding in findings)


def test_without_torch_the_line_for_reconstruct_says_how_to_get_it(
    exgs: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *more: None if name == "torch" else find(name, *more)
    )
    code, out, _ = exgs("doctor")
    (line,) = (line for line in out.splitlines() if "reconstruct" in line)
    assert code == 0 and line.startswith("-   ")
    assert "torch: not installed; pip install 'exgs[train]'" in line


@pytest.mark.parametrize(
    ("version", "told"),
    [("2.9.0+cpu", "torch 2.9.0+cpu is built without it; where there is an NVIDIA GPU, reinstall"),
     ("2.9.0", "torch 2.9.0 finds no CUDA device; check 'nvidia-smi'"),
     (None, "torch sources finds no CUDA device")],
)  # fmt: skip
def test_torch_is_asked_for_cuda_only_where_it_may_have_it(
    exgs: Command, monkeypatch: pytest.MonkeyPatch, version: str | None, told: str
) -> None:
    named, found = importlib.metadata.version, importlib.util.find_spec

    def recorded(name: str) -> str:
        if name != "torch":
            return named(name)
        if version is None:
            raise importlib.metadata.PackageNotFoundError(name)
        return version

    torch = SimpleNamespace(
        __version__=version or "sources", cuda=SimpleNamespace(is_available=lambda: False)
    )
    monkeypatch.setitem(sys.modules, "torch", None if "cpu" in (version or "") else torch)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: name == "torch" or found(name))
    monkeypatch.setattr(importlib.metadata, "version", recorded)
    (line,) = (line for line in exgs("doctor")[1].splitlines() if line[5:].startswith("CUDA "))
    assert line.startswith("-   ") and told in line


def test_a_taken_port_is_seen(exgs: Command) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        findings = json.loads(exgs("doctor", "--json", "--port", port)[1])
    line = next(finding for finding in findings if finding["subject"] == f"port {port}")
    assert not line["ok"]
