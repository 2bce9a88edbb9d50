"""`python -m tools.evaluation`."""

import sys

from tools.evaluation.cli import main

sys.exit(main())
