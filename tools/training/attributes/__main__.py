"""Train the classifier of cars: ``python -m tools.training.attributes``."""

from tools.training.attributes.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
