"""``python -m tools.training.craft``: train the character finder and export it."""

import sys

from tools.training.craft.cli import main

sys.exit(main())
