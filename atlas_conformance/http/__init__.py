"""Everything that touches the wire: the client, authentication, pacing, the guard below it, and redaction."""
