"""Events of reads for other programs: they wait in the reads file until MQTT or a webhook has taken them."""
