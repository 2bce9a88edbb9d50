"""What a deployment does now: replicas, nodes, traffic, and where it answers."""
