"""How likely a picture shows a whole car from outside: what the filter asks."""
