"""`python -m retroweave`."""

from retroweave.cli import main

if __name__ == "__main__":
    main()
