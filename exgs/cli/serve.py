"""``exgs serve``: serves scenes to viewers over WebRTC."""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from exgs.cli import arguments, network
from exgs.cli.arguments import byte_count, port, positive_float, positive_int
from exgs.cli.encoding import SIZE_AND_EFFORT, add_effort, given
from exgs.cli.errors import CommandError, UsageError
from exgs.cli.network import TOKEN_VARIABLE
from exgs.cli.paths import find_inputs, is_ugc
from exgs.cli.process import ending_signals
from exgs.cli.terminal import size
from exgs.codec import DEFAULT_PRESET, METHODS, PRESETS, EncodeConfig
from exgs.protocol.drivers.settings import WebRtcConfig
from exgs.protocol.megabits import bytes_per_s
from exgs.server.catalogue import ENCODED_SUFFIX, FOLDER_INDEXES
from exgs.server.config import LOOPBACK_HOSTS, Limits, ServerConfig
from exgs.server.errors import UnfitSetting
from exgs.server.orders import ORDERS

if TYPE_CHECKING:
    from exgs.server.library import SceneReport
    from exgs.server.service import RunningServer

NEEDS = ("exgs.cli.files", "exgs.server.service")
"""Imported after ``check`` and before the work, while an interrupt ends the process at once."""
DEFAULT_PORT = 8080
MOST_PASSED_OVER = 8
"""Folders that are told one by one."""
ENCODING = ("method", *SIZE_AND_EFFORT)
"""Flags that say how a scene is encoded, named as fields of the configuration."""
FLAGS = {
    "encode_timeout_s": "--encode-timeout",
    "encoders": "--encoders",
    "max_bytes_per_s": "--max-mbps",
    "tls_key": "--tls-key without --tls-cert",
    "token": "--token",
}
"""How fields of the configuration, that some values do not fit, are called here."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of ``exgs serve``."""
    parser.add_argument(
        "scenes", metavar="FOLDER_OR_FILE", help="a folder of scenes in any format, or one scene"
    )
    where = parser.add_argument_group("where")
    where.add_argument(
        "--host", default="127.0.0.1", help="address to listen at (default: %(default)s, this machine)"
    )
    where.add_argument(
        "--port", type=port, default=DEFAULT_PORT, help="TCP port, 0 for any (default: %(default)s)"
    )
    network.add_ice_servers(where)
    where.add_argument(
        "--behind-proxy", action="store_true", help="a reverse proxy in front adds X-Forwarded-For"
    )
    where.add_argument("--tls-cert", type=arguments.path, metavar="FILE", help="PEM certificate: speak HTTPS")
    where.add_argument(
        "--tls-key", type=arguments.path, metavar="FILE", help="its key in PEM (default: in the same file)"
    )
    who = parser.add_argument_group("who")
    network.add_token(who, "secret that viewers must show, or a token that 'exgs token' made of it")
    who.add_argument(
        "--allow-origin", metavar="ORIGIN", action="append",
        help="web pages that may call, such as https://example.org or '*'; may be repeated",
    )  # fmt: skip
    who.add_argument("--max-sessions", type=positive_int, metavar="N", default=Limits.max_sessions,
                     help="viewers at a time (default: %(default)s)")  # fmt: skip
    who.add_argument("--max-sessions-per-address", type=positive_int, metavar="N",
                     default=Limits.max_sessions_per_address,
                     help="of them from one address (default: %(default)s)")  # fmt: skip
    parser.add_argument("--order", choices=tuple(ORDERS), default=ServerConfig.order,
                        help="what is sent first, for experiments to compare (default: %(default)s, by the "
                        "error that each byte saves where the viewer looks)")  # fmt: skip
    who.add_argument("--max-mbps", type=positive_float, metavar="N",
                     help="bound of what is sent to all together, shared fairly (default: none)")  # fmt: skip
    _add_encoding(parser.add_argument_group("scenes that are not .ugc files are encoded when first played"))
    parser.add_argument("-q", "--quiet", action="store_true", help="print the line with the address alone")
    parser.add_argument("-v", "--verbose", action="store_true", help="log sessions and encodings")


def check(args: argparse.Namespace) -> None:
    """Refuses settings with which nobody could be served, and a folder or file that is not there."""
    server_config(args)
    find_inputs(args.scenes)


def run(args: argparse.Namespace) -> int:
    """Serves until it is interrupted; 0 then."""
    from exgs.server.service import run_server

    config = server_config(args)
    _check_scene(config.scenes)
    level = logging.ERROR if args.quiet else logging.INFO if args.verbose else logging.WARNING
    logging.basicConfig(level=logging.ERROR, format="%(asctime)s %(message)s", stream=sys.stderr)
    logging.getLogger("exgs").setLevel(level)
    ready = partial(_announce, config=config, quiet=args.quiet)
    network.run(run_server(config, ready, signals=(signal.SIGINT, *ending_signals())))
    return 0


def _check_scene(path: Path) -> None:
    """Finds a single scene that nobody could ever be shown now; those of a folder fail one by one.

    Raises:
        CommandError: it cannot be opened, or is empty.
        SceneError: it is no scene.
    """
    from exgs.cli.files import read_ugc
    from exgs.scene.read import READABLE, describe

    if path.is_file() and is_ugc(str(path)):
        read_ugc(str(path))
    readable = path.is_file() and path.name.lower().endswith(READABLE)
    indexed = any((path / name).is_file() for name in FOLDER_INDEXES)
    if (readable or indexed) and not describe(path, scan=False).count:
        raise CommandError(f"{path}: a scene without Gaussians, there is nothing to serve")


def _add_encoding(group: argparse._ArgumentGroup) -> None:
    target = group.add_mutually_exclusive_group()
    target.add_argument(
        "--max-bytes", type=byte_count, metavar="N", help="size that none exceeds, such as 3.3MB"
    )
    target.add_argument("--ratio", type=positive_float, metavar="R", help="float size over encoded size")
    target.add_argument("--preset", choices=tuple(PRESETS), help=f"a named ratio (default: {DEFAULT_PRESET})")
    group.add_argument("--method", choices=METHODS, help=f"(default: {EncodeConfig.method})")
    add_effort(group)
    group.add_argument(
        "--cache", type=arguments.path, metavar="DIR",
        help="where encoded scenes are kept (default: exgs in the user's cache folder)",
    )  # fmt: skip
    group.add_argument("--cache-bytes", type=byte_count, metavar="N", default=ServerConfig.cache_bytes,
                       help="the cache is kept below this (default: 8GiB)")  # fmt: skip
    group.add_argument(
        "--encode-timeout", type=arguments.duration_s, metavar="TIME",
        default=int(ServerConfig.encode_timeout_s),
        help="stop one that takes longer than this, such as 90, 30m or 8h (default: 4h)",
    )  # fmt: skip
    group.add_argument("--encoders", type=positive_int, metavar="N", default=ServerConfig.encoders,
                       help="encodings at a time (default: %(default)s)")  # fmt: skip


def server_config(args: argparse.Namespace) -> ServerConfig:
    """The settings that the flags and the environment ask for.

    Raises:
        UsageError: nobody could be served with them, or what is served alone is encoded already and the
            flags say how.
    """
    said = given(args, *ENCODING)
    if said and args.scenes.lower().endswith(ENCODED_SUFFIX):
        flag = next(iter(said)).replace("_", "-")
        raise UsageError(f"--{flag}: {args.scenes} is encoded already and served as it is")
    try:
        return _config(args, EncodeConfig(**said))
    except UnfitSetting as error:
        raise UsageError(f"{FLAGS.get(error.setting, error.setting)}: {error.reason}") from error


def _config(args: argparse.Namespace, encode: EncodeConfig) -> ServerConfig:
    return ServerConfig(
        scenes=Path(args.scenes),
        cache=args.cache or _default_cache(),
        host=args.host,
        port=args.port,
        token=network.token(args.token),
        encode=encode,
        tls_certificate=args.tls_cert,
        tls_key=args.tls_key,
        max_bytes_per_s=bytes_per_s(args.max_mbps),
        cache_bytes=args.cache_bytes,
        order=args.order,
        encoders=args.encoders,
        encode_timeout_s=args.encode_timeout,
        origins=None if args.allow_origin is None else tuple(args.allow_origin),
        behind_proxy=args.behind_proxy,
        limits=Limits(max_sessions=args.max_sessions, max_sessions_per_address=args.max_sessions_per_address),
        webrtc=WebRtcConfig(ice_servers=tuple(args.ice_server)),
    )


async def _announce(server: RunningServer, config: ServerConfig, *, quiet: bool) -> None:
    """The line that says where, and unless quiet what there is and what to think of."""
    scenes = await server.scenes()
    plural = "" if len(scenes) == 1 else "s"
    print(f"Serving {len(scenes)} scene{plural} at {server.url}", flush=True)
    if quiet:
        return
    for scene in scenes:
        print(f"  {scene.name:<24} {size(scene.source_bytes):>10}  {_state(scene)}")
    for line in _passed_over(await server.passed_over()):
        print(line)
    if scenes and scenes[0].state != "failed":  # what failed stands last
        secret = " --token SECRET" if config.token else ""
        print(f"Play one with: exgs play {server.url} --scene {scenes[0].name}{secret}")
    if config.host in LOOPBACK_HOSTS:
        opening = "--host 0.0.0.0" if config.token else "--host 0.0.0.0 --token SECRET"
        print(f"Only this machine can reach it; {opening} opens it to the network.")
    elif config.token is None:
        print(f"Anybody who reaches it may watch: --token or {TOKEN_VARIABLE} asks for a secret.")
    sys.stdout.flush()


def _state(scene: SceneReport) -> str:
    if scene.state == "failed":
        return f"cannot be played: {scene.detail}"
    return "ready" if scene.state == "ready" else "encoded when first played"


def _passed_over(folders: Sequence[tuple[str, str]]) -> list[str]:
    """A line for each of some folders that are served as no scene, and how many more there are."""
    lines = [f"Passed over {_printable(name)}: {lacks}" for name, lacks in folders[:MOST_PASSED_OVER]]
    more = len(folders) - len(lines)
    what = "folder that is no scene" if more == 1 else "folders that are no scenes"
    return [*lines, f"... and {more} more {what}"] if more else lines


def _printable(name: str) -> str:
    """``name`` without what would steer a terminal."""
    return "".join(letter if letter.isprintable() else "?" for letter in name)


def _default_cache() -> Path:
    home = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(home) if os.path.isabs(home) else Path.home() / ".cache") / "exgs"
