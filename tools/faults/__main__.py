"""`python -m tools.faults`."""

from tools.faults.cli import main

raise SystemExit(main())
