"""Who may sign in for a practice."""
