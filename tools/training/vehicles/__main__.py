"""Train the vehicle detector: ``python -m tools.training.vehicles``."""

from tools.training.vehicles.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
