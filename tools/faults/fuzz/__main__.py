"""`python -m tools.faults.fuzz`."""

from tools.faults.fuzz.cli import main

raise SystemExit(main())
