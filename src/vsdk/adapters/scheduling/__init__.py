"""Where appointments come from and how they are read."""
