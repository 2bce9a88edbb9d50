"""The code that replicas run, as an archive that is the same wherever it is made."""
