"""
Circuit breakers by name: of this process, or, with Redis, of the whole fleet (ADR-004).

    answer = await breakers.acquire("calcom", operation="look")
    if isinstance(answer, Refusal):
        ...  # not sent; ask again after `answer.retry_after`
    else:
        ...  # call, and whatever comes of it:
        await breakers.record(answer, "succeeded")
"""
