"""Runs the command line: the command ``exgs``, and ``python -m exgs``."""

from exgs.cli.interrupting import end_at_once


def main() -> int:
    """Runs the command line and returns its exit code; Ctrl-C ends it quietly from the first import on."""
    end_at_once()
    from exgs.cli.main import run

    return run()


if __name__ == "__main__":
    raise SystemExit(main())
