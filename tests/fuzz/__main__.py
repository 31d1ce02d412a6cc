"""Compare random models until stopped: `python -m tests.fuzz [first seed]`. A failure is shrunk and printed."""

from __future__ import annotations

import sys
from itertools import count

from birc.backends import BACKENDS, load_backend
from tests.fuzz.compare import differences
from tests.fuzz.generate import random_model
from tests.fuzz.shrink import shrink


def main(first: int) -> None:
    """Go on from a seed; stop at Ctrl-C."""
    targets = [name for name in BACKENDS if name in ("numpy", "native") and load_backend(name).missing() is None]
    failures = 0
    for seed in count(first):
        text = random_model(seed)
        found = next(differences(text, targets), None)
        if found is not None:
            failures += 1
            kind = found.between

            def fails(candidate: str, kind: str = kind) -> bool:
                return any(d.between == kind for d in differences(candidate, targets if kind.startswith("on ") else ()))

            print(f"\nseed {seed}: {found}\n{shrink(text, fails, limit=300)}", flush=True)
        print(f"\r{seed - first + 1} models, {failures} failures", end="", flush=True)


if __name__ == "__main__":
    try:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 0)
    except KeyboardInterrupt:
        print()
