"""Pages: what the server sends before any script has run. Jinja2 is imported here only."""

from urllib.parse import urlsplit

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from vsdk.domain.practice import Practice
from vsdk.widgets.assets import Assets
from vsdk.widgets.messages import Messages
from vsdk.widgets.texts import Texts, primary

__all__ = ["Messages", "Pages"]


class Pages:
    """One method per page, each giving a whole HTML document in one language.

    ``base_url`` is where people reach the server, and may have a path: ``https://pms.example/video``.
    """

    def __init__(self, texts: Texts, assets: Assets, base_url: str) -> None:
        self._texts = texts
        self._base = urlsplit(base_url).path.rstrip("/")
        self._jinja = Environment(
            loader=PackageLoader("vsdk.widgets"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
        )
        self._jinja.globals.update(assets=assets, base=self._base, languages=texts.languages)

    def join(self, language: str) -> str:
        """The page behind a join link. It knows nothing yet: the handle stays in the browser."""
        return self._page("join.html", language)

    def practice(self, language: str, practice: Practice) -> str:
        """The practice's list of today's visits."""
        return self._page("practice.html", language, practice=practice)

    def practice_messages(self, language: str, practice: Practice) -> str:
        """Messages of the practice that did not arrive."""
        return self._page("practice-messages.html", language, practice=practice)

    def choice(self, language: str) -> str:
        """Where somebody says whether they want messages; the handle of their link stays in the browser."""
        return self._page("choice.html", language)

    def check(self, language: str) -> str:
        """The system test, for anyone at any time, and advice for a good visit."""
        return self._page("check.html", language)

    def home(self, language: str) -> str:
        """Where somebody lands who typed the address without a link."""
        return self._page("home.html", language)

    def problem(self, language: str, code: str, status: int) -> str:
        """What went wrong, in words for people. ``code`` is an error code, ``status`` the HTTP status."""
        known = next(
            c for c in (code, *_alike(status), "other") if self._texts.has("en", f"problem.{c}.title")
        )
        return self._page("problem.html", language, known=known, code=code, status=status)

    def plugin_page(self, language: str, title: str, body_html: str) -> str:
        """A plugin's page in our frame. ``body_html`` is inserted as it is: the plugin escaped it."""
        return self._page("plugin.html", language, title=title, body=Markup(body_html))  # noqa: S704

    def _page(self, template: str, language: str, **values: object) -> str:
        language = primary(language)
        if language not in self._texts.languages:
            language = "en" if "en" in self._texts.languages else self._texts.languages[0]

        def t(key: str, **filled: object) -> str:
            return self._texts.get(language, key, **filled)

        return self._jinja.get_template(template).render(t=t, language=language, **values)


def _alike(status: int) -> tuple[str, ...]:
    """The error codes whose words fit a status, for codes that have none of their own."""
    if status == 404:
        return ("not-found",)
    return ("internal-error",) if status >= 500 else ()
