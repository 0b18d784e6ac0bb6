"""What passes between the parts: ids, schemas, batch format, registry types, settings, errors."""
