"""What happened to a visit, one frozen dataclass each.

``docs/events.md`` describes them; plugins hear of them through ``vsdk_event``.
"""

from dataclasses import dataclass

from vsdk.domain.ids import ParticipantId
from vsdk.domain.message import MessageState
from vsdk.domain.participant import Role
from vsdk.domain.plan import Window


@dataclass(frozen=True, slots=True)
class ParticipantArrived:
    """Someone who has to be let in entered the waiting room, or came back to it."""

    participant: ParticipantId


@dataclass(frozen=True, slots=True)
class PractitionerAdmitted:
    """A practitioner let this participant in."""

    participant: ParticipantId


@dataclass(frozen=True, slots=True)
class PeersConnected:
    """Two participants both reported a direct, encrypted connection."""


@dataclass(frozen=True, slots=True)
class ConnectionLost:
    """A participant of a running visit reported, or was found to have, no connection."""


@dataclass(frozen=True, slots=True)
class ParticipantLeft:
    """A waiting participant went away and did not come back in time."""

    participant: ParticipantId


@dataclass(frozen=True, slots=True)
class EveryoneLeft:
    """Nobody is there any more, and nobody pressed the red button."""


@dataclass(frozen=True, slots=True)
class HungUp:
    """Someone who may close the visit pressed the red button."""

    by: Role


@dataclass(frozen=True, slots=True)
class VisitClosed:
    """The practice ended the visit from its list without admitting anyone."""


@dataclass(frozen=True, slots=True)
class InvitedBack:
    """The practice asked this participant to come back: into a visit that has ended, within a window of its
    own, or into one that goes on, from a phone call for example."""

    participant: ParticipantId
    window: Window


@dataclass(frozen=True, slots=True)
class Rescheduled:
    """The appointment's time changed; ``window`` is the new one."""

    window: Window


@dataclass(frozen=True, slots=True)
class AppointmentCancelled:
    """The PMS cancelled the appointment."""


@dataclass(frozen=True, slots=True)
class WindowClosed:
    """The join window ended and nobody had come."""


@dataclass(frozen=True, slots=True)
class GraceOver:
    """The time in which one could come back has passed."""


@dataclass(frozen=True, slots=True)
class VisitPlanned:
    """A visit was made for an appointment; its links can be given out."""

    window: Window


@dataclass(frozen=True, slots=True)
class AppointmentChanged:
    """Something else than the time of the appointment changed, such as a participant."""


@dataclass(frozen=True, slots=True)
class DelayAnnounced:
    """The practice said that the visit begins later than planned; 0 minutes takes it back."""

    minutes: int


@dataclass(frozen=True, slots=True)
class CancellationAsked:
    """Someone asked the practice to cancel. The visit stays as it is until the practice does so."""

    participant: ParticipantId


@dataclass(frozen=True, slots=True)
class MessageProgressed:
    """A message about the visit was sent, arrived, failed or was left out."""

    template: str
    participant: ParticipantId
    state: MessageState
    code: str = ""
    """stable code of the reason, where it did not arrive"""


@dataclass(frozen=True, slots=True)
class EffectGivenUp:
    """Something that was to be done because of the visit could not be done, however often it was tried."""

    kind: str
    """``WriteBack`` or ``Notify``"""
    code: str
    """stable code of the last failure"""


@dataclass(frozen=True, slots=True)
class WriteBackMadeGood:
    """The PMS was told of the appointment after all, though an earlier write-back had been given up."""


VisitEvent = (
    ParticipantArrived
    | PractitionerAdmitted
    | PeersConnected
    | ConnectionLost
    | ParticipantLeft
    | EveryoneLeft
    | HungUp
    | VisitClosed
    | InvitedBack
    | Rescheduled
    | AppointmentCancelled
    | WindowClosed
    | GraceOver
)
"""What the state table knows."""

Occurrence = (
    VisitEvent
    | VisitPlanned
    | AppointmentChanged
    | DelayAnnounced
    | CancellationAsked
    | MessageProgressed
    | EffectGivenUp
    | WriteBackMadeGood
)
"""What plugins hear of."""
