"""Software that runs in the store: stills from cameras, filtered, batched and handed over."""
