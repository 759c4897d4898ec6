"""`python -m understudy` is the command line."""

import sys

from understudy.cli.main import main

if __name__ == "__main__":
    sys.argv[0] = "understudy"  # reports say how they were made
    main()
