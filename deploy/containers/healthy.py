"""Asks the server in the same container whether it is ready: exit status 0 or 1."""

from __future__ import annotations

import os
import sys
import urllib.error
import urllib.request

TIMEOUT_S = 3


def main() -> int:
    """The port is 8080, or PORT of the environment."""
    url = f"http://127.0.0.1:{int(os.environ.get('PORT', '8080'))}/v2/health/ready"
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT_S) as answer:
            return int(answer.status != 200)
    except (urllib.error.URLError, OSError) as error:
        print(f"not ready: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
