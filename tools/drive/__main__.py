"""`python -m tools.drive`."""

import sys

from tools.drive.cli import main

sys.exit(main())
