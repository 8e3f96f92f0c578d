"""Video visits for practice management systems.

``from vsdk import hookimpl`` costs a plugin author next to nothing: names that need heavy packages are
resolved when they are first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from vsdk.domain.errors import (
    ConfigurationError,
    Conflict,
    DeliveryFailed,
    InvalidAppointment,
    NotFound,
    PartnerError,
    Refused,
    UsageError,
    VsdkError,
)
from vsdk.domain.message import DeliveryReport, Message, MessageState, Receipt
from vsdk.domain.participant import Role
from vsdk.domain.plan import Notice, VisitPlan, WaitingNotice
from vsdk.domain.policy import Finding, Outcome
from vsdk.hooks.markers import API_VERSION, hookimpl

if TYPE_CHECKING:
    from vsdk.hooks.ports import Config, Http, PageReply, PageRequest
    from vsdk.sdk import VideoSdk
    from vsdk.settings import Settings

__all__ = [
    "API_VERSION",
    "Config",
    "ConfigurationError",
    "Conflict",
    "DeliveryFailed",
    "DeliveryReport",
    "Finding",
    "Http",
    "InvalidAppointment",
    "Message",
    "MessageState",
    "NotFound",
    "Notice",
    "Outcome",
    "PageReply",
    "PageRequest",
    "PartnerError",
    "Receipt",
    "Refused",
    "Role",
    "Settings",
    "UsageError",
    "VideoSdk",
    "VisitPlan",
    "VsdkError",
    "WaitingNotice",
    "hookimpl",
]

_LAZY = {
    "Config": "vsdk.hooks.ports",
    "Http": "vsdk.hooks.ports",
    "PageReply": "vsdk.hooks.ports",
    "PageRequest": "vsdk.hooks.ports",
    "Settings": "vsdk.settings",
    "VideoSdk": "vsdk.sdk",
}


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(import_module(_LAZY[name]), name)
    if name == "__version__":
        from importlib.metadata import version

        return version("vsdk")
    raise AttributeError(f"module 'vsdk' has no attribute {name!r}")
