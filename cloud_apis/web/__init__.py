"""The prediction APIs over HTTP: one ASGI application, whatever serves it."""
