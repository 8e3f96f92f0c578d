"""A quick ``__init__`` is the slow one in all but time."""

import inspect
from dataclasses import FrozenInstanceError, dataclass, field, fields, replace

import pytest

from vsdk.domain.appointment import Appointment
from vsdk.domain.participant import Participant, Role
from vsdk.domain.quick import quick_to_make
from vsdk.testing.factories import PATIENT


@dataclass(frozen=True, slots=True)
class Slow:
    one: int
    two: str = field(default="b", repr=False)
    three: tuple[int, ...] = ()


@quick_to_make
@dataclass(frozen=True, slots=True)
class Quick:
    one: int
    two: str = field(default="b", repr=False)
    three: tuple[int, ...] = ()


def test_arguments_defaults_and_annotations_are_the_same() -> None:
    assert str(inspect.signature(Quick)) == str(inspect.signature(Slow))
    assert Quick.__init__.__qualname__ == Slow.__init__.__qualname__.replace("Slow", "Quick")
    assert (Quick(1).two, Quick(1).three, Quick(one=1, three=(2,)).three) == ("b", (), (2,))
    with pytest.raises(TypeError, match=r"__init__\(\) missing"):
        Quick()  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="unexpected keyword"):
        Quick(1, four=4)  # type: ignore[call-arg]


def test_it_is_frozen_equal_hashable_and_can_be_replaced() -> None:
    quick = Quick(1, "c")
    with pytest.raises(FrozenInstanceError):
        quick.one = 2  # type: ignore[misc]
    assert quick == Quick(1, "c") != Quick(2, "c")
    assert hash(quick) == hash(Quick(1, "c"))
    assert replace(quick, one=2) == Quick(2, "c")
    assert repr(quick) == "Quick(one=1, three=())"


@pytest.mark.parametrize(
    "unusual",
    [
        field(default_factory=list),
        field(default=None, kw_only=True),
        field(default=None, init=False),
    ],
)
def test_unusual_fields_are_refused(unusual: object) -> None:
    made = type("Unusual", (), {"one": unusual, "__annotations__": {"one": object}})
    with pytest.raises(TypeError, match="Unusual has more to do"):
        quick_to_make(dataclass(frozen=True, slots=True)(made))


def test_what_is_done_after_making_is_refused() -> None:
    @dataclass(frozen=True, slots=True)
    class Checked:
        one: int

        def __post_init__(self) -> None:
            """Would be left out."""

    with pytest.raises(TypeError, match="Checked has more to do"):
        quick_to_make(Checked)


@pytest.mark.parametrize("made", [Participant, Appointment])
def test_the_domain_uses_it(made: type) -> None:
    """Each field holds what was given for it."""
    values = {each.name: object() for each in fields(made)}
    assert {name: getattr(made(**values), name) for name in values} == values
    assert list(inspect.signature(made).parameters) == list(values)


def test_personal_data_stay_out_of_repr() -> None:
    assert PATIENT.name
    assert PATIENT.name not in repr(PATIENT)
    assert PATIENT.role is Role.PATIENT
