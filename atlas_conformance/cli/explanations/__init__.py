"""Pages that explain a requirement: its words, its sources, and an exchange that keeps it beside one that does not."""
