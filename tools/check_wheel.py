"""Builds every wheel, looks into them, and runs the installed product in an environment of its own.

What works from the checkout may still miss templates, catalogues or migrations once it is installed.
"""

import subprocess
import sys
import tempfile
import time
import urllib.request
import venv
from pathlib import Path
from zipfile import ZipFile

REPOSITORY = Path(__file__).parents[1]
PROJECTS = (".", "plugins/doctolib_like", "plugins/kbv_compliance")
NEEDED = (
    "vsdk/py.typed",
    "vsdk/widgets/templates/frame.html",
    "vsdk/widgets/static/vsdk.js",
    "vsdk/locale/de/visit.po",
    "vsdk/scaffold/templates/notification/src/package/__init__.py.txt",
    "vsdk/widgets/templates/mail.html",
    "vsdk/store/migrations/env.py",
    "vsdk/examples/appointments/r4/01-first-of-the-day.json",
)
PORT = 18437


def run(*command: str | Path, **options: object) -> None:
    subprocess.run([str(part) for part in command], check=True, **options)  # type: ignore[call-overload]


def build(target: Path) -> list[Path]:
    for project in PROJECTS:
        run(
            sys.executable,
            "-m",
            "build",
            "--wheel",
            "--no-isolation",
            "--outdir",
            target,
            REPOSITORY / project,
        )
    return sorted(target.glob("*.whl"))


def look_inside(wheels: list[Path]) -> None:
    run(Path(sys.executable).with_name("check-wheel-contents"), "--ignore", "W004", *wheels)
    core = next(wheel for wheel in wheels if wheel.name.startswith("vsdk-"))
    names = set(ZipFile(core).namelist())
    if missing := [name for name in NEEDED if name not in names]:
        raise SystemExit(f"{core.name} misses {', '.join(missing)}")
    if tests := [name for name in names if name.startswith("tests/")]:
        raise SystemExit(f"{core.name} holds tests: {tests[0]}")


def install(folder: Path, wheels: list[Path]) -> Path:
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    pins = REPOSITORY / "requirements" / "pins.txt"
    run(
        python,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--constraint",
        pins,
        *wheels,
    )
    return python


def try_out(python: Path, folder: Path) -> None:
    """The command starts, lists its plugins, and the demo answers, all from the installed packages."""
    run(python.with_name("vsdk"), "plugins", cwd=folder)
    run(python, "-c", "from vsdk import hookimpl, VideoSdk, Settings; VideoSdk(Settings())", cwd=folder)
    demo = subprocess.Popen(
        [python.with_name("vsdk"), "demo", "--port", str(PORT)], cwd=folder, stdout=subprocess.DEVNULL
    )
    try:
        for _ in range(100):
            try:
                with urllib.request.urlopen(f"http://localhost:{PORT}/j", timeout=2) as answer:
                    assert answer.status == 200
                    assert b"vsdk-video-visit" in answer.read()
                    return
            except OSError:
                time.sleep(0.2)
        raise SystemExit("the demo of the installed package does not answer")
    finally:
        demo.terminate()
        demo.wait(10)


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="vsdk-wheel-") as name:
        folder = Path(name)
        print("Building wheels", flush=True)
        wheels = build(folder / "dist")
        look_inside(wheels)
        print("Installing them into an empty environment", flush=True)
        python = install(folder / "venv", wheels)
        try_out(python, folder)
    print("The installed product works.")


if __name__ == "__main__":
    main()
