"""What was applied, when and by whom: numbered revisions in the registry's bucket, and the lock on applying."""
