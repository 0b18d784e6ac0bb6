"""Simulated stores with known truth."""
