"""`python -m tools.dataset`."""

import sys

from tools.dataset.cli import main

if __name__ == "__main__":
    sys.exit(main())
