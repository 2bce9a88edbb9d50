"""`python -m tools.cluster`."""

from tools.cluster.cli import main

raise SystemExit(main())
