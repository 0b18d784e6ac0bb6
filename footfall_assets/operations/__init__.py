"""What keeps the platform healthy: pending work, runs, checks."""
