"""`python -m tools.catalogue`."""

import sys

from tools.catalogue.cli import main

if __name__ == "__main__":
    sys.exit(main())
