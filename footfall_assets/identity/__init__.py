"""Local visitors, identities and sightings."""
