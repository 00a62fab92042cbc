"""Who may book what: companies with their secrets, their services, and their API keys."""
