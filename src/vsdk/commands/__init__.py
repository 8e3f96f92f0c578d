"""What the commands do; `vsdk.cli` reads the command line and chooses one."""
