"""`python -m tools.crash`."""

import sys

from tools.crash.cli import main

sys.exit(main())
