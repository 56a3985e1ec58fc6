"""What decides whether a run may pass: an earlier run, waivers, the gate; and shards, split and merged."""
