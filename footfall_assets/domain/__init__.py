"""Pure counting and clustering rules: numpy and pandas only, no I/O."""
