"""Files of other systems: door counters, sales, staff plans, opening hours."""
