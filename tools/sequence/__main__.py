"""`python -m tools.sequence`."""

from tools.sequence.cli import main

raise SystemExit(main())
