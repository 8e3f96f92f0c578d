"""The test kit: fakes at the ports, factories, and a contract per port that every adapter must survive."""
