"""In which language a request is answered."""

from starlette.requests import Request

from adapters.phrases import Language, chosen


def language_of(request: Request) -> Language:
    """Return the language that `Accept-Language` asks for, as far as there is one."""
    return chosen(",".join(request.headers.getlist("accept-language")))
