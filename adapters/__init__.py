"""
Everything that touches the world: databases, Cal.com, Redis, the web, the command line.
"""
