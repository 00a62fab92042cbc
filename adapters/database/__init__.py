"""What both kinds of database are used for besides the log: services, companies, keys, counts, the clock."""
