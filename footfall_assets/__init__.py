"""Footfall: a Dagster-orchestrated platform that turns store stills into pseudonymous visitor reports."""
