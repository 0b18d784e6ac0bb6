"""The report query: published files in, frozen reports out; no Dagster."""
