"""The command line of atlas-conformance."""
