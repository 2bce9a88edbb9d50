"""Asking the prediction APIs: the bounded pool, the HTTP calls, and the embedded APIs."""
