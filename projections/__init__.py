"""
What people look at: one file per read model, each rebuildable from the log.
"""
