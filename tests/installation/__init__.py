"""The installation as a whole, in a throw-away root of this machine: `make test-installation`."""
