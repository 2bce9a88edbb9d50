"""What runs on the cluster: the prediction APIs as applications of Ray Serve, and how they are described to it."""
