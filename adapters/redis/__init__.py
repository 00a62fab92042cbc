"""
Redis, or anything that speaks its language, such as Valkey.

calsaga is right without it. One task speaks for the whole process, so that a caller who
goes away never leaves half an answer on a connection, and many who ask at once share a
round trip.
"""
