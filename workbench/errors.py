"""The one exception that means: the user's input is wrong."""


class InputError(ValueError):
    """Wrong input, said in one line: what, where, and what is allowed.

    The command line prints it and exits with 2; the window shows it in a dialog and keeps
    what was there before. Everything else that is raised is our fault.
    """
