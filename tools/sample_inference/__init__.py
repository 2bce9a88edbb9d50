"""Sends one picture through both prediction APIs and shows what they make of it."""
