"""New plugins from templates: a whole distribution that passes its own tests."""
