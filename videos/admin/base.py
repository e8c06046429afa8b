"""The admin classes of the theme that is installed: Unfold's, or Django's own."""

from typing import Any

from django.apps import apps
from django.contrib import admin
from django.contrib.admin import widgets
from django.forms import CheckboxInput
from django.forms import Select as PlainSelect
from django.utils.module_loading import import_string


def themed(name: str) -> Any:
    """`ModelAdmin`, `TabularInline` …: Unfold's class of that name when Unfold is installed."""
    if apps.is_installed("unfold"):
        return import_string(f"unfold.admin.{name}")
    return getattr(admin, name)


def themed_widget(name: str, plain: Any) -> Any:
    """Unfold's widget of that name when Unfold is installed, else the `plain` one."""
    return import_string(f"unfold.widgets.{name}") if apps.is_installed("unfold") else plain


ModelAdmin: Any = themed("ModelAdmin")
TabularInline: Any = themed("TabularInline")
TextInput: Any = themed_widget("UnfoldAdminTextInputWidget", widgets.AdminTextInputWidget)
FileInput: Any = themed_widget("UnfoldAdminFileFieldWidget", widgets.AdminFileWidget)
Select: Any = themed_widget("UnfoldAdminSelectWidget", PlainSelect)
BooleanInput: Any = themed_widget("UnfoldBooleanWidget", CheckboxInput)
