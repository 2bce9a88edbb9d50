"""The shipped settings, one YAML file per part, and the settings of the linter."""
