"""More requests than the APIs can work on."""
