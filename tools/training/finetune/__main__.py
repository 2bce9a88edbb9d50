"""``python -m tools.training.finetune``: train the shipped models on with your own data."""

import sys

from tools.training.finetune.cli import main

sys.exit(main())
