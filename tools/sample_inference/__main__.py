"""``python -m tools.sample_inference``."""

from tools.sample_inference.cli import main

raise SystemExit(main())
