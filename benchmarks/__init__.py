"""What the speed figures of `docs/performance.md` come from. Never part of `bin/test`: they depend on the machine."""
