"""Deploying models and prediction APIs: a registry of models on S3, and the engines that run the APIs."""
