"""`python -m gnnmc`: the command line."""

from gnnmc.cli import main

if __name__ == "__main__":
    main()
