"""Scores of reported visitors against a known truth."""
