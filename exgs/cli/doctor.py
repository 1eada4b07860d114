"""``exgs doctor``: what this machine can do, one line each, with the remedy where something is missing."""

from __future__ import annotations

import argparse
import importlib.metadata
import importlib.util
import json
import os
import platform
import socket
from collections.abc import Callable
from dataclasses import asdict, dataclass

from exgs.cli import arguments

DEFAULT_PORT = 8080
REMEDY_BUILD = "where there is an NVIDIA GPU, reinstall torch from PyPI"
"""Of a torch that is built for processors alone."""


@dataclass(frozen=True)
class Finding:
    """One line of the report."""

    subject: str
    """What was looked at."""
    ok: bool
    """Whether it can be used."""
    detail: str
    """What was found."""
    remedy: str = ""
    """What would help, where it cannot."""
    needed: bool = False
    """Whether exgs cannot do its main job without."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the flags of ``exgs doctor``."""
    parser.add_argument(
        "--port", type=arguments.port, default=DEFAULT_PORT, help=f"the port to try (default: {DEFAULT_PORT})"
    )
    arguments.add_json(parser)


def run(args: argparse.Namespace) -> int:
    """Prints every finding; fails where something that the main job needs is missing."""
    findings = []
    for probe in _probes(args.port):
        findings.append(probe())
        if not args.json:
            print(_line(findings[-1]), flush=True)  # the next may take a while
    if args.json:
        print(json.dumps([asdict(finding) for finding in findings]))
    return 1 if any(finding.needed and not finding.ok for finding in findings) else 0


def _line(finding: Finding) -> str:
    mark = "ok  " if finding.ok else "MISS" if finding.needed else "-   "
    remedy = f"; {finding.remedy}" if finding.remedy and not finding.ok else ""
    return f"{mark} {finding.subject:<18} {finding.detail}{remedy}"


def _probes(port: int) -> list[Callable[[], Finding]]:
    return [
        _python,
        _rasterizer,
        _cuda,
        _gsplat,
        _onnxruntime,
        _restorer,
        _reconstruct,
        _openxr,
        _video,
        _interfaces,
        lambda: _port(port),
    ]


def _python() -> Finding:
    text = f"{platform.python_version()} on {platform.system()} {platform.machine()}, {os.cpu_count()} cores"
    return Finding("python", True, text, needed=True)


def _rasterizer() -> Finding:
    from exgs.raster import rasterizer_report

    report = rasterizer_report()
    return Finding("rasteriser", True, f"'auto' takes {report.name}: {report.reason}", needed=True)


def _cuda() -> Finding:
    if not importlib.util.find_spec("torch"):
        return Finding(
            "CUDA", False, "torch is not installed", "pip install 'exgs[gpu]' on a machine with an NVIDIA GPU"
        )
    version = _version_of("torch")
    if version.endswith("+cpu"):  # so torch need not be asked, which takes seconds to import
        return Finding("CUDA", False, f"torch {version} is built without it", REMEDY_BUILD)
    import torch

    if not torch.cuda.is_available():
        return Finding("CUDA", False, f"torch {torch.__version__} finds no CUDA device", "check 'nvidia-smi'")
    return Finding("CUDA", True, f"{torch.cuda.get_device_name(0)}, torch {torch.__version__}")


def _version_of(package: str) -> str:
    """The installed version; empty where there is no record of it, as beside sources on the path."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return ""


def _gsplat() -> Finding:
    return _package("gsplat", "gsplat", "pip install 'exgs[gpu]'; without it the CPU rasterises")


def _onnxruntime() -> Finding:
    if not importlib.util.find_spec("onnxruntime"):
        return Finding(
            "onnxruntime", False, "not installed", "pip install 'exgs[cpu]' or 'exgs[gpu]', never both"
        )
    import onnxruntime

    providers = ", ".join(onnxruntime.get_available_providers())
    return Finding("onnxruntime", True, f"{onnxruntime.__version__} with {providers}")


def _restorer() -> Finding:
    from exgs.painter import restorer_report

    report = restorer_report()
    if report.name == "off":
        remedy = "pictures are shown as they come; --restore also takes a folder of weights"
        return Finding("restorer", False, f"'auto' takes none: {report.reason}", remedy)
    return Finding("restorer", True, f"'auto' takes {report.name}: {report.reason}")


def _reconstruct() -> Finding:
    from exgs.feedforward.choose import shipped
    from exgs.weights.tensors import REMEDY, torch_problem

    subject, sizes = "reconstruct", ", ".join(shipped())
    problem = torch_problem()
    if problem is not None:
        missing = problem.removesuffix(f": {REMEDY}")
        return Finding(subject, False, missing, f"{REMEDY}; without it pictures make no scene")
    if not sizes:
        return Finding(subject, False, "no weights came along", "--weights takes a folder of them")
    named = f"torch {_version_of('torch')}".rstrip()
    return Finding(subject, True, f"{named}, weights {sizes}")


def _openxr() -> Finding:
    return _package("OpenXR", "xr", "pip install 'exgs[xr]' and an OpenXR runtime; head traces work without")


def _video() -> Finding:
    import av

    if "libx264" in av.codecs_available:
        return Finding("video", True, f"PyAV {av.__version__} with libx264")
    return Finding(
        "video",
        False,
        f"PyAV {av.__version__} without libx264",
        "reinstall av from PyPI; folders of PNGs work",
    )


def _interfaces() -> Finding:
    """WebRTC gathers no loopback addresses: another interface must be up."""
    names = sorted(name for _, name in socket.if_nameindex() if name != "lo")
    if names:
        return Finding("network", True, f"interfaces {', '.join(names)}", needed=True)
    return Finding("network", False, "only the loopback interface", "bring up any interface", needed=True)


def _port(port: int) -> Finding:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            return Finding(f"port {port}", False, str(error), "choose another with 'exgs serve --port'")
    return Finding(f"port {port}", True, "free for signalling; media takes any free UDP port")


def _package(subject: str, module: str, remedy: str) -> Finding:
    if not importlib.util.find_spec(module):
        return Finding(subject, False, "not installed", remedy)
    names = importlib.metadata.packages_distributions().get(module, [module])
    return Finding(subject, True, f"{names[0]} {_version_of(names[0])}".rstrip())
