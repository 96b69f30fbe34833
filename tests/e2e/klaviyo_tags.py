"""Klaviyo's own tags and filters, for Django's engine: those that our templates use."""

from django import template
from django.utils.html import format_html

register = template.Library()


@register.filter
def lookup(holder: dict, name: str):
    """Return a property whose name need not be a word of the template language."""
    return holder[name]


@register.simple_tag
def unsubscribe(text: str = "Unsubscribe") -> str:
    """Return the link that a message must have."""
    return format_html('<a href="https://esp.example.com/unsubscribe">{}</a>', text)
