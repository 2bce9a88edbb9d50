"""What is known of models of cars: a table of facts, each with its source; what nobody knows is null."""
