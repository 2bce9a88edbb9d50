"""`python -m tools.faults.supply`."""

from tools.faults.supply.cli import main

raise SystemExit(main())
