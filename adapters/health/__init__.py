"""
How well the services are that calsaga stands on: probes, who of the fleet makes them, and what people are told.

`runner` has them made, `probes` says how one is made, `seeing` is what everybody asks.
"""
