"""Messages rendered as the platforms render them, but strictly: what is not there is an error."""

import re
from pathlib import Path

import django.conf
import liquid
from django.template import Context, Engine

from tools.places import ROOT

FOLDER = ROOT / "docs" / "templates"
UNSUBSCRIBE = {
    "braze": r"\$\{set_user_to_unsubscribed_url\}",
    "klaviyo": r"\{%\s*unsubscribe\b",
}
# What the platforms know without us.
BUILT_IN = {"braze": {"set_user_to_unsubscribed_url", "context"}, "klaviyo": set()}
# Braze's names of its own attributes, which stand outside custom_attribute.
STANDARD = {"first_name", "last_name", "country", "language", "email_address", "user_id"}


class MissingError(Exception):
    """A template uses what is not sent."""


class Sent(dict):
    """What was sent of a person or an event; anything else is an error.

    Attributes:
        missed: names that were asked for and not there: a condition swallows the error.
    """

    def __init__(self, content: dict, missed: list[str]):
        """Hold content.

        Args:
            content: what was sent.
            missed: to append to.
        """
        super().__init__({name: _sent(part, missed) for name, part in content.items()})
        self.missed = missed

    def __missing__(self, name: str):
        """Refuse."""
        self.missed.append(name)
        raise MissingError(name)


def fields_in(name: str, template: str) -> set[str]:
    """Return the fields of a person that a template names.

    Args:
        name: of the platform.
        template: its text.
    """
    if name == "braze":
        return set(re.findall(r"\$\{(\w+)\}", template)) - BUILT_IN["braze"]
    looked_up = re.findall(r"person\s*\|\s*lookup:\s*'(\w+)'", template)
    return set(looked_up) | set(re.findall(r"person\.(\w+)", template))


def require_sound(name: str, template: str, sent: set[str]) -> None:
    """Refuse a template that names what is not sent, or has no way out.

    Args:
        name: of the platform.
        template: its text.
        sent: names of the fields that the sync sends.

    Raises:
        MissingError: with what is wrong.
    """
    if unknown := fields_in(name, template) - sent:
        raise MissingError(", ".join(sorted(unknown)))
    if not re.search(UNSUBSCRIBE[name], template):
        raise MissingError("unsubscribe")


def render(name: str, template: str, person: dict, event: dict) -> str:
    """Render a message.

    Args:
        name: of the platform.
        template: its text.
        person: fields as they are sent.
        event: payload of the trigger.

    Raises:
        MissingError: if the template uses what is not there.
    """
    return (_braze if name == "braze" else _klaviyo)(template, person, event)


def _braze(template: str, person: dict, event: dict) -> str:
    # ${name} is Braze's own: the name alone is Liquid.
    text = re.sub(r"\$\{(\w+)\}", r"\1", template)
    own = {name: value for name, value in person.items() if name in STANDARD}
    custom = {name: value for name, value in person.items() if name not in STANDARD}
    environment = liquid.Environment(undefined=liquid.StrictUndefined)
    try:
        return environment.from_string(text).render(
            **own,
            custom_attribute=custom,
            event_properties=event,
            set_user_to_unsubscribed_url="https://esp.example.com/unsubscribe",
        )
    except liquid.exceptions.UndefinedError as error:
        raise MissingError(str(error)) from None


def _klaviyo(template: str, person: dict, event: dict) -> str:
    if not django.conf.settings.configured:
        django.conf.settings.configure(USE_I18N=False)
    engine = Engine(builtins=["tests.e2e.klaviyo_tags"], string_if_invalid="%s is missing")
    missed = []
    context = Context({"person": Sent(person, missed), "event": Sent(event, missed)})
    said = engine.from_string(template).render(context)
    missed += re.findall(r"([\w.|:']+) is missing", said)
    if missed:
        raise MissingError(", ".join(missed))
    return said


def _sent(thing, missed: list[str]):
    if isinstance(thing, dict):
        return Sent(thing, missed)
    return [_sent(part, missed) for part in thing] if isinstance(thing, list) else thing


def templates(folder: Path = FOLDER) -> list[tuple[str, str]]:
    """Return platform and name of every template."""
    return sorted((path.parent.name, path.name) for path in folder.glob("*/*.html"))
