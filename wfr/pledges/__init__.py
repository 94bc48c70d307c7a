"""The ledger: a promise, a done action, the tally, the live stream."""
