"""What ends a script before its table or page is written."""


class AbacusError(Exception):
    """Something that the user can mend; the text says what was found and what is allowed."""


class Stopped(Exception):
    """SIGINT or SIGTERM: what is finished stays, the table is not written."""
