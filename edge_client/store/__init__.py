"""The durable list of reads: an SQLite file, written as reads happen, searched and exported afterwards."""
