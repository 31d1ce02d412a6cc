"""`birc …`: arguments in, text and an exit code out.

Exit codes: 0 fine, 1 the model or the verification is at fault, 2 wrong usage, 3 the environment lacks something,
70 a bug in birc, 130 interrupted.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from birc.cli.arguments import parse
from birc.cli.commands import COMMANDS
from birc.cli.show import json_diagnostics
from birc.codes import exit_of
from birc.errors import BircError

WRONG_USAGE = 2
INTERNAL = 70
INTERRUPTED = 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        code = _run(arguments)
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader has gone; without this the interpreter complains again when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        print("birc: interrupted", file=sys.stderr)
        return INTERRUPTED
    return code


def _run(arguments: list[str]) -> int:
    try:
        parsed = parse(arguments)
        return 0 if parsed is None else COMMANDS[parsed.command](parsed)
    except BircError as error:
        if "--json" in arguments:
            print(json_diagnostics(error.diagnostics))
        else:
            print(error, file=sys.stderr)
        span = error.diagnostics[0].span
        return WRONG_USAGE if span is not None and span.source.argument else exit_of(error.code)
    except (BrokenPipeError, KeyboardInterrupt):
        raise
    except Exception as bug:  # a bug in birc is told as such, and not as a mistake of the user's
        if os.environ.get("BIRC_DEBUG"):
            raise
        print(f"birc: internal error: {type(bug).__name__}: {bug}", file=sys.stderr)
        print("  This is a bug in birc, not in your model. Set BIRC_DEBUG=1 for the traceback, and please report it.", file=sys.stderr)
        return INTERNAL
