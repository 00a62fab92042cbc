"""What calsaga costs, measured; `python -m benchmarks` prints JSON."""
