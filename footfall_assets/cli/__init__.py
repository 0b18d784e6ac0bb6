"""The footfall command line."""
