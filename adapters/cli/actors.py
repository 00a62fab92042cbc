"""Who gives a command."""

import os
import pwd


def user_name() -> str:
    """Return the name of the user whose process this is."""
    # Not from the environment, in which anybody may write.
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"uid-{os.getuid()}"
