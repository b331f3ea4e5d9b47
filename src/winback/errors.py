"""The one error that a user is meant to read."""


class WinbackError(Exception):
    """Say what went wrong, where, how many rows it concerns, and what to do about it.

    Raise it for everything a user can mend: a wrong key, a missing file, an unreachable source. The
    message is shown as it stands, without a traceback. It never carries personal data.

    Args:
        problem: one or two sentences with the place and the numbers.
        fix: what to do, ideally a command that can be pasted.
    """

    def __init__(self, problem: str, fix: str) -> None:
        super().__init__(f"{problem}\n  What to do: {fix}")
        self.problem = problem
        self.fix = fix
