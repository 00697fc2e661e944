"""`python -m engine` is `passerelle`."""

from engine.cli import main

if __name__ == "__main__":
    main()
