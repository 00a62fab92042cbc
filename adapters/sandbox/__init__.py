"""
A double of Cal.com's API v2 that runs anywhere and misbehaves on request.

Start it with ``python -m adapters.sandbox --port 4010``. Any bearer key that begins with ``cal_`` is the owner's key,
and these event types can be booked at once, day and night, from now to two years ahead:

== ================= ======= ====== ===================================================
id slug              minutes hosts  what is special
== ================= ======= ====== ===================================================
1  consultation-30   30      1      nothing
2  consultation-60   60      1      shares its host with 1
3  checkup-30        30      2      nothing
4  on-request        30      3      needs confirmation: bookings are ``pending``
5  team-round-robin  30      4, 5   round robin
6  no-way-back       30      6      ``disableCancelling``
7  workshop          60      7      10 seats
8  weekly-course     30      8      recurrence, 4 times weekly
9  multi-length      30      9      15, 30 or 60 minutes
10 paid-consultation 30      10     has a price
11 members-only      30      11     ``bookingRequiresAuthentication``
12 always-open       30      12     never busy: one time can be booked any number of times
== ================= ======= ====== ===================================================

Webhooks are those of ``/v2/webhooks``. They are sent when Cal.com sends them: of a new booking before its maker has the
answer, of a cancelled one before it is cancelled; once, whatever comes of it. A payload template is kept, not applied.

Everything that is not Cal.com's is under ``/_sandbox``; see :mod:`adapters.sandbox.control`.
"""
