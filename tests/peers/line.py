"""How a program that runs a simulator is asked, and answers: one line of JSON each way, on standard input and output.

This file is imported where birc is not.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any

Task = dict[str, Any]
MARK = "answer: "
"""Before the line that is the answer; a simulator may print lines of its own."""


def answer(main: Callable[[Task], dict[str, Any]]) -> None:
    """Read the task, do it, and print the answer."""
    print(MARK + json.dumps(main(json.loads(sys.stdin.readline()))), flush=True)
