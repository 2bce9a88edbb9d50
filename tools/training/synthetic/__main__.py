"""``python -m tools.training.synthetic``: render synthetic plate crops into one file."""

import sys

from tools.training.synthetic.generate import main

sys.exit(main())
