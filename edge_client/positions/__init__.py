"""Where positions come from: a replayed NMEA log, or nowhere."""
