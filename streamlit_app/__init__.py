"""The report explorer: a read-only Streamlit app over published data."""
