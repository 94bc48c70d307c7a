"""School letter drives: a class writes, its letters count, and nothing about a pupil is stored."""
