"""`python -m birc`."""

import sys

from birc.cli import main

if __name__ == "__main__":
    sys.exit(main())
