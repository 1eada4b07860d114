"""``exgs token``: makes a token that lets viewers in for a while."""

from __future__ import annotations

import argparse
import sys
import time

from exgs.cli import network
from exgs.cli.arguments import duration_s
from exgs.cli.errors import UsageError
from exgs.cli.network import TOKEN_VARIABLE
from exgs.server.tickets import MAX_TTL_S, issue

DEFAULT_TTL_S = 8 * 3600


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of ``exgs token``."""
    network.add_token(parser, "the server's secret")
    parser.add_argument(
        "--ttl", type=duration_s, metavar="TIME", default=DEFAULT_TTL_S,
        help="how long it admits, such as 90, 30m, 8h or 7d (default: 8h)",
    )  # fmt: skip


def run(args: argparse.Namespace) -> int:
    """Prints the token on standard output, and until when it admits beside it.

    Raises:
        UsageError: there is no secret, or the time is too long.
    """
    secret = network.token(args.token)
    if secret is None:
        raise UsageError(f"give the server's secret in {TOKEN_VARIABLE} or with --token")
    if args.ttl > MAX_TTL_S:
        raise UsageError(f"--ttl: expected at most {MAX_TTL_S // 86400}d")
    expires_s = int(time.time()) + args.ttl
    until = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(expires_s))
    print(f"admits until {until} UTC", file=sys.stderr)
    print(issue(secret, expires_s))
    return 0
