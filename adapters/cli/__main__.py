"""`python -m adapters.cli` is `calsaga`, for processes that start others without an installed script."""

from adapters.cli import main

if __name__ == "__main__":
    main()
