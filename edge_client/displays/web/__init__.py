"""The annotated stream and the latest reads as a web page, for a phone on the dashboard or a desk at home."""
