"""
How much callers may ask for (M37): a bucket for each company, and one for each API key if keys have their own limit.

Without Redis each process has its own buckets (`local`). With it the fleet shares them, and each process takes
tokens out of them by the handful (`leasing`, ADR-023).
"""
