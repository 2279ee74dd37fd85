"""Who owns a trial: the controller that runs it."""


class TakenOver(Exception):  # noqa: N818  (not an error of the job)
    """The trial was given to another controller, or has ended: this job is not wanted any more."""
