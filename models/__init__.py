"""Face and person models: pinned, fetched, converted, run and measured in one place."""
