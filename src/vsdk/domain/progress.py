"""A status goes forwards or stays: what is known already is never taken back."""

from vsdk.domain.appointment import AppointmentStatus as Status

_RANK = {
    Status.PROPOSED: 0,
    Status.PENDING: 0,
    Status.WAITLIST: 0,
    Status.BOOKED: 0,
    Status.ARRIVED: 1,
    Status.CHECKED_IN: 2,
    Status.FULFILLED: 3,
}
"""of those in which the appointment stands; the others are final"""


def goes_on(now: Status | None, wanted: Status) -> bool:
    """Whether ``wanted`` may follow: further on the way, or an end; nobody came only where nobody was."""
    if now not in _RANK:
        return False
    if wanted in _RANK:
        return _RANK[now] < _RANK[wanted]
    return _RANK[now] == 0 if wanted is Status.NOSHOW else now is not Status.FULFILLED
