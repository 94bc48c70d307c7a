"""What the speed figures of `docs/performance.md` come from. Never part of `bin/test`: a figure depends on the machine."""
