"""A video's captions on its page: what there is, how far its host is with them, and files to add or to replace."""

from django import forms
from django.contrib import admin
from django.utils.formats import date_format
from django.utils.html import format_html

from videos import conf
from videos.admin.base import BooleanInput, FileInput, TabularInline
from videos.models import Caption, PushState, Video
from videos.services.addresses import caption_url
from videos.services.captions import (
    MAX_LANGUAGES,
    change_caption,
    check_caption,
    delete_caption,
    language_tag,
    put_caption,
)
from videos.services.errors import InvalidRequest

_COLOURS = {PushState.DONE: "#15803d", PushState.DUE: "#b45309", PushState.FAILED: "#b91c1c"}
_REASONS = {
    "caption_refused": "it takes no such file, or none in this language",
    "not_ready": "it is not ready for captions yet",
    "host_asset_not_found": "it does not know this video",
    "host_unavailable": "it does not answer",
    "host_timeout": "it does not answer in time",
    "host_circuit_open": "it does not answer",
    "host_credentials_rejected": "it refuses our credentials",
    "host_quota_exceeded": "its plan is used up",
}


class CaptionForm(forms.ModelForm):
    file = forms.FileField(
        required=False,
        widget=FileInput(attrs={"accept": ".vtt,text/vtt"}),
        help_text="WebVTT (.vtt); takes the place of the captions that there are in this language.",
    )
    is_checked = forms.BooleanField(
        label="timing checked",
        required=False,
        widget=BooleanInput,
        help_text="Unticked when the video was replaced by one of another length: tick it once somebody looked.",
    )

    class Meta:
        model = Caption
        fields = ["language", "label"]
        help_texts = {"label": "What viewers read; left empty, the language's own name."}

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        is_new = self.instance._state.adding
        self.initial["is_checked"] = is_new or not self.instance.needs_check
        for name, is_fixed in (("language", not is_new), ("is_checked", self.initial["is_checked"])):
            if name in self.fields:
                self.fields[name].disabled = is_fixed
        if "label" in self.fields:
            self.fields["label"].required = False
        self.fields["file"].required = is_new

    def clean_language(self):
        if not self.instance._state.adding:
            return self.instance.language
        language = _or_form_error(language_tag, self.cleaned_data["language"])
        if Caption.objects.filter(video=self.instance.video_id, language=language).exists():
            raise forms.ValidationError("There are captions in this language: choose the file in their row.", "taken")
        return language

    def clean_file(self):
        """The bytes of a new file, checked; empty where none was chosen."""
        file = self.cleaned_data["file"]
        if not file:
            return b""
        body = file.read(conf.caption_max_bytes() + 1)
        _or_form_error(check_caption, body)
        return body


class CaptionFormSet(forms.BaseInlineFormSet):
    """Captions change by their services alone, which also tell the host."""

    def save_new(self, form, commit=True):
        return put_caption(video=self.instance, body=form.cleaned_data["file"], **_named(form))

    def save_existing(self, form, obj, commit=True):
        if form.cleaned_data["file"]:
            return self.save_new(form)
        change_caption(video=self.instance, is_checked=form.cleaned_data["is_checked"], **_named(form))
        return obj

    def delete_existing(self, obj, commit=True):
        delete_caption(video=self.instance, language=obj.language)


class CaptionInline(TabularInline):
    model = Caption
    form = CaptionForm
    formset = CaptionFormSet
    extra = 0
    max_num = MAX_LANGUAGES
    show_change_link = False
    hide_title = True
    fields = ["language", "label", "file", "is_checked", "host_state", "kept"]
    readonly_fields = ["host_state", "kept"]

    def get_queryset(self, request):
        return super().get_queryset(request).with_host_state().defer("body")

    def get_fields(self, request, obj=None):
        may_write = self.has_add_permission(request, obj) or self.has_change_permission(request, obj)
        may_write = may_write and self.admin_site.get_model_admin(Video).has_change_permission(request, obj)
        return self.fields if may_write else ["language", "label", *self.readonly_fields]

    def get_formset(self, request, obj=None, **kwargs):
        return super().get_formset(request, obj, validate_max=True, **kwargs)

    @admin.display(description="at the host")
    def host_state(self, caption):
        if caption._state.adding:
            return "-"
        if caption.at_host is None:
            return "kept here: this host is not sent captions"
        told = PushState(caption.at_host).label
        if caption.at_host_error:
            told = f"{told}: {_REASONS.get(caption.at_host_error, caption.at_host_error)}"
        return format_html('<span style="color:{}">{}</span>', _COLOURS[caption.at_host], told)

    @admin.display(description="file now")
    def kept(self, caption):
        if caption._state.adding:
            return "-"
        url = caption_url(caption.video_id, caption.language)
        return format_html(
            '<a href="{}" style="text-decoration:underline">{}</a>', url, date_format(caption.updated_at, "j M Y H:i")
        )


def _named(form):
    return {"language": form.cleaned_data["language"], "label": form.cleaned_data["label"]}


def _or_form_error(check, value):
    try:
        return check(value)
    except InvalidRequest as error:
        raise forms.ValidationError(error.detail, code=error.code) from error
