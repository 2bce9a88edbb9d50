"""`python -m cloud_apis`."""

import sys

from cloud_apis.cli import main

sys.exit(main())
