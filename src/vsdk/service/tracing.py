"""Shows people who write a plugin what is asked of it and what it answers, on standard error.

::

    hook acme_sms vsdk_notification_channels(config, http) -> 1 AcmeSms, 0.2 ms
    hook acme_sms deliver(message=Message(template=delay, …)) -> Receipt(provider_id=a-17), 41.3 ms
    hook acme_sms deliver(message=Message(template=delay, …)) !! PartnerError partner-error, may pass, 9.8 ms

Nothing personal is shown, by construction: of our own dataclasses the fields in `TEXTS` where they look as
they should, members of enumerations, yes and no, and how many there are of something; of all else the type.
The objects of plugins are wrapped while the registry is made, so that nothing is paid for where it is off.
"""

import inspect
import re
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import partial
from typing import Any

from vsdk.domain.errors import PartnerError, VsdkError
from vsdk.hooks import ports

PORTS: Mapping[type[Any], tuple[type[Any], ...]] = {
    ports.ScheduleSource: (ports.ScheduleSource, ports.NotifiedSource, ports.CheckedSource),
    ports.NotificationChannel: (ports.NotificationChannel, ports.ReportingChannel, ports.PushChannel),
    ports.IdentityProvider: (ports.IdentityProvider, ports.PasskeyProvider),
    ports.PolicyRule: (ports.PolicyRule,),
    ports.PageSource: (ports.PageSource, ports.InteractivePage),
}
"""what an object of a kind may be in full; each method of these is traced where the object has it"""

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}")
_CODE = re.compile(r"[a-z]+[a-z0-9]*(-[a-z0-9]+)*")
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_EFFECT = re.compile(r"Notify|WriteBack")

TEXTS: Mapping[str, re.Pattern[str]] = {
    **dict.fromkeys(("id", "practice_id", "appointment_id", "visit_id"), _ID),
    **dict.fromkeys(("participant", "participant_id", "idempotency_key", "provider_id"), _ID),
    **dict.fromkeys(("template", "code", "reason", "rule", "part", "role", "source"), _CODE),
    "language": _LANGUAGE,
    "kind": _EFFECT,
}
"""fields and arguments whose text is shown where it looks as it should"""
SHORTENED = frozenset({"idempotency_key", "provider_id"})
"""those of them that gateways send: shown so that one can compare, but no more of them"""

_FEW = 3
_HIDDEN = "…"


class Tracer:
    """Writes a line for each call, to where standard error leads at that moment."""

    def called(
        self, plugin: str, hook: str, function: Callable[..., Any], arguments: Mapping[str, Any]
    ) -> list[Any]:
        """Calls an implementation at start-up. The line has the names of arguments and types of results."""
        with _watched(plugin, f"{hook}({', '.join(arguments)})") as outcome:
            given = [*function(**arguments)]
            outcome.append(_counted(given))
            return given

    def object(self, plugin: str, item: Any, kind: type[Any]) -> Any:
        """The same object with its methods traced: it is what it was, no more and no less."""
        if kind not in PORTS:
            return item
        members: dict[str, Any] = {
            name: property(partial(_of, item, name)) for name in dir(item) if not name.startswith("_")
        }
        members |= {
            name: staticmethod(_traced(plugin, name, getattr(item, name)))
            for port in PORTS[kind]
            for name, member in vars(port).items()
            if inspect.isfunction(member) and not name.startswith("_") and callable(getattr(item, name, None))
        }
        members["__getattr__"] = lambda _, name: getattr(item, name)
        return type(type(item).__name__, (), members)()

    def listener(self, plugin: str, listen: Callable[..., Any]) -> Callable[..., Any]:
        """An implementation of ``vsdk_event``, which may be asynchronous."""

        def traced(event: Any) -> Any:
            call = f"vsdk_event(event={shown(event)})"
            with _watched(plugin, call) as outcome:
                result = listen(event=event)
                if not inspect.isawaitable(result):
                    outcome.append("heard")
                    return result
            return awaited(call, result)

        async def awaited(call: str, result: Any) -> None:
            with _watched(plugin, call) as outcome:
                await result
                outcome.append("heard")

        return traced


def _of(item: Any, name: str, _: Any) -> Any:
    return getattr(item, name)


def shown(value: Any, name: str = "") -> str:
    """What may be shown of a value that stands in a field or argument of this name."""
    match value:
        case None | bool():
            return str(value)
        case Enum() if _is_ours(value):
            return str(value.value)
        case str():
            return _shown_text(value, name)
        case tuple() | list():
            few = value if len(value) <= _FEW and all(map(_is_ours, value)) else ()
            return f"[{', '.join(map(shown, few))}]" if few else _counted(value)
        case set() | frozenset() | Mapping():
            return f"{type(value).__name__} of {len(value)}"
        case _ if is_dataclass(value) and _is_ours(value):
            return f"{type(value).__name__}({', '.join(_shown_fields(value))})"
        case _:
            return type(value).__name__


def _is_ours(value: Any) -> bool:
    """Whether vsdk itself says what it may hold."""
    return type(value).__module__.startswith(("vsdk.domain.", "vsdk.hooks."))


def _shown_text(text: str, name: str) -> str:
    if name not in TEXTS or len(text) > 64 or not TEXTS[name].fullmatch(text):
        return _HIDDEN
    return f"{text[:3]}{_HIDDEN}{text[-2:]}" if name in SHORTENED and len(text) > 7 else text


def _shown_fields(value: Any) -> Iterator[str]:
    """Those that tell something: neither what is hidden, nor what is empty."""
    for field in fields(value):
        item = getattr(value, field.name)
        told = item not in ("", None, ()) and (
            field.name in TEXTS
            or isinstance(item, bool | tuple | list)
            or (_is_ours(item) and (is_dataclass(item) or isinstance(item, Enum)))
        )
        if told:
            yield f"{field.name}={shown(item, field.name)}"


def _counted(items: Iterable[Any]) -> str:
    """``2 AcmeSms, 1 Path``: how many there are of each type."""
    types = [type(item).__name__ for item in items]
    return ", ".join(f"{types.count(name)} {name}" for name in dict.fromkeys(types)) or "nothing"


def _failed(error: BaseException) -> str:
    if not isinstance(error, VsdkError):
        return type(error).__name__
    passing = ", may pass" if isinstance(error, PartnerError) and error.retryable else ""
    return f"{type(error).__name__} {shown(error.code, 'code')}{passing}"


@contextmanager
def _watched(plugin: str, call: str) -> Iterator[list[str]]:
    """Writes the line when it is over, with what was put into the list or the error; nothing put, no line."""
    began = time.perf_counter()
    outcome: list[str] = []
    try:
        yield outcome
    except BaseException as error:
        _write(f"hook {plugin} {call} !! {_failed(error)}", began)
        raise
    if outcome:
        _write(f"hook {plugin} {call} -> {outcome[0]}", began)


def _write(line: str, began: float) -> None:
    """Where nobody can read it, nothing else is to suffer from that."""
    took = (time.perf_counter() - began) * 1000
    with suppress(OSError, ValueError):
        sys.stderr.write(f"{line}, {took:.1f} ms\n")


def _traced(plugin: str, name: str, method: Callable[..., Any]) -> Callable[..., Any]:
    signature = inspect.signature(method)

    def call(args: Sequence[Any], kwargs: Mapping[str, Any]) -> str:
        try:
            given = signature.bind(*args, **kwargs).arguments
        except TypeError:
            return f"{name}({_HIDDEN})"
        return f"{name}({', '.join(f'{key}={shown(value, key)}' for key, value in given.items())})"

    if inspect.iscoroutinefunction(method):

        async def asynchronous(*args: Any, **kwargs: Any) -> Any:
            with _watched(plugin, call(args, kwargs)) as outcome:
                result = await method(*args, **kwargs)
                outcome.append(shown(result))
                return result

        return asynchronous

    if inspect.isasyncgenfunction(method):

        async def iterated(*args: Any, **kwargs: Any) -> AsyncIterator[Any]:
            with _watched(plugin, call(args, kwargs)) as outcome:
                found = []
                async for item in method(*args, **kwargs):
                    found.append(item)
                    yield item
                outcome.append(_counted(found))

        return iterated

    def plain(*args: Any, **kwargs: Any) -> Any:
        with _watched(plugin, call(args, kwargs)) as outcome:
            result = method(*args, **kwargs)
            outcome.append(shown(result))
            return result

    return plain
