"""Everything that is known of an endpoint, and everything that touches the wire; nothing here judges."""
