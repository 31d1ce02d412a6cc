"""`python -m tests.bench.peers make [NAME...]`: make the environments of the other simulators, below `.venv-peers`.

One that is complete is left alone; to make it anew, remove its folder.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys

from tests.bench.peers import ENVIRONMENTS, FOLDER


def make(name: str) -> bool:
    """Make one environment; False where pip could not."""
    folder = FOLDER / name
    if (folder / "complete").exists():
        print(f"{name}: there")
        return True
    shutil.rmtree(folder, ignore_errors=True)
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    pip = [str(folder / "bin" / "python"), "-I", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *ENVIRONMENTS[name]]
    done = subprocess.run(pip, check=False).returncode == 0
    if done:
        (folder / "complete").write_text("\n".join(ENVIRONMENTS[name]) + "\n", "utf-8")
    print(f"{name}: {'installed' if done else 'could not be installed'}")
    return done


def main(arguments: list[str]) -> int:
    """Make environments; 1 where one failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.peers", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("what", choices=("make",))
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(ENVIRONMENTS)}; all, if none is named")
    names = parser.parse_args(arguments).names or list(ENVIRONMENTS)
    if unknown := [name for name in names if name not in ENVIRONMENTS]:
        parser.error(f"no simulator {', '.join(unknown)}; there are {', '.join(ENVIRONMENTS)}")
    made = [make(name) for name in names]  # all of them, also after one that failed
    return 0 if all(made) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
