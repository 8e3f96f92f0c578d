"""``python -m tests.adapters.fuzz_reader [libFuzzer's options] [CORPUS]``: coverage-guided fuzzing (atheris).

Bytes become JSON as they do everywhere (`vsdk.hooks.json_text`), then an Appointment is read and written.
Anything but a result or InvalidAppointment is a crash. Half of the mutations are libFuzzer's own, of bytes;
the others change the structure and stay JSON.
"""

import json
import sys
from random import Random

import atheris

with atheris.instrument_imports(include=["vsdk.adapters.scheduling.fhir", "vsdk.domain"]):
    from tests.adapters.fuzzing import check, mutated

    from vsdk.hooks import json_text


def one(data: bytes) -> None:
    try:
        resource = json_text.parse(data)
    except ValueError:
        return
    check(resource)


def mutate(data: bytes, max_size: int, seed: int) -> bytes:
    random = Random(seed)
    if random.random() < 0.5:
        return bytes(atheris.Mutate(data, max_size))
    try:
        changed = mutated(json_text.parse(data), random, random.randint(1, 3))
        text = json.dumps(changed, ensure_ascii=random.random() < 0.5).encode(errors="replace")
    except (ValueError, RecursionError):
        return bytes(atheris.Mutate(data, max_size))
    return text[:max_size]


if __name__ == "__main__":
    atheris.Setup(sys.argv, one, custom_mutator=mutate)
    atheris.Fuzz()
