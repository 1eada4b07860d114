"""Runs the command line as ``python -m exgs``."""

from exgs.cli.main import run

if __name__ == "__main__":
    raise SystemExit(run())
