"""
``python -m adapters.sandbox --port 4010 --faults storm --rate-limit 0``.
"""

from argparse import ArgumentParser
from dataclasses import replace

from adapters.sandbox.profiles import load_profile
from adapters.sandbox.server import run


def main() -> None:
    """
    Serve a sandbox as the command line says.
    """
    parser = ArgumentParser(prog="python -m adapters.sandbox", description="A double of Cal.com's API v2.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=4010, help="0 lets the system choose")
    parser.add_argument("--faults", default="none", help="none, default, storm, or a JSON file")
    parser.add_argument("--seed", type=int, help="the seed of the faults, in place of the profile's own")
    parser.add_argument("--rate-limit", type=int, default=120, help="calls per 60 s and key; 0 is no limit")
    arguments = parser.parse_args()
    try:
        faults = load_profile(arguments.faults)
    except ValueError as exc:
        parser.error(str(exc))
    if arguments.seed is not None:
        faults = replace(faults, seed=arguments.seed)
    run(host=arguments.host, port=arguments.port, faults=faults, rate_limit=arguments.rate_limit)


if __name__ == "__main__":
    main()
