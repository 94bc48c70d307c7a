"""`python -m wfr` is `wfr`."""

from wfr.cli import main

if __name__ == "__main__":
    main(prog_name="wfr")
