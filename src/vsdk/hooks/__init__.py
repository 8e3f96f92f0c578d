"""What a plugin may give: hook specifications, and the Protocols of the objects that they hand over."""
