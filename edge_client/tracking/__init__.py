"""Linking boxes across frames, and voting the reads of one plate into one."""
