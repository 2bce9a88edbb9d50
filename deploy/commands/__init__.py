"""The subcommands of `cloud-deploy`."""
