"""dbt build and publication."""
