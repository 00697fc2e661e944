"""`python -m engine.simulation`: what `passerelle simulate` does, as a child of the demo."""

import sys

from engine.errors import PasserelleError
from engine.simulation.command import simulate_main

if __name__ == "__main__":
    try:
        sys.exit(simulate_main(sys.argv[1:]))
    except PasserelleError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(error.exit_code)
