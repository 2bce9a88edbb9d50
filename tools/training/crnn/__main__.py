"""``python -m tools.training.crnn``: train the word reader and export it."""

import sys

from tools.training.crnn.cli import main

sys.exit(main())
