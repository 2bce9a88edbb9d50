"""`python -m deploy` is the command `cloud-deploy`."""

from deploy.cli import main

raise SystemExit(main())
