"""The suites: which requests to send, in what order, and which requirement each one covers."""
