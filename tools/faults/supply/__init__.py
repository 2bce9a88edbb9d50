"""What is installed beside our own code: its hashes, its licences, what asks for it."""
