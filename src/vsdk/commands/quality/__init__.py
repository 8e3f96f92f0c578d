"""``vsdk check plugin``: what a plugin fulfils of the list in ``docs/plugin-quality.md``."""
