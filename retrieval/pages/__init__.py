"""Pages of the web: fetched within limits, and made into passages."""
