"""The pure core: what a visit is and how it changes. Standard library only, no clock, no I/O."""
