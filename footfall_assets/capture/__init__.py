"""Intake of landed batches and the images asset."""
