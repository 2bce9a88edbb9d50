"""From settings to a running deployment: what is wanted, how it differs from what runs, applying and following it."""
