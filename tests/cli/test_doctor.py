"""doctor: one line each, with the remedy where something is missing."""

import json
import socket

from tests.cli.conftest import Command


def test_every_line_has_a_verdict(exgs: Command) -> None:
    code, out, _ = exgs("doctor")
    assert code == 0
    lines = out.splitlines()
    assert all(line.split()[0] in ("ok", "MISS", "-") for line in lines)
    for subject in ("python", "rasteriser", "CUDA", "gsplat", "onnxruntime", "restorer", "OpenXR", "port"):
        assert any(subject in line for line in lines), subject


def test_what_is_missing_has_a_remedy(exgs: Command) -> None:
    findings = json.loads(exgs("doctor", "--json")[1])
    assert all(finding["ok"] or finding["remedy"] for finding in findings)


def test_a_taken_port_is_seen(exgs: Command) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        findings = json.loads(exgs("doctor", "--json", "--port", port)[1])
    line = next(finding for finding in findings if finding["subject"] == f"port {port}")
    assert not line["ok"]
