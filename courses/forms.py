from typing import TYPE_CHECKING, Any

from django import forms
from django.db import transaction
from unfold.widgets import UnfoldAdminTextInputWidget

from courses.models import Lesson
from courses.services.lessons import current_host_id
from videos.services.assets import attach_host_id
from videos.services.errors import InvalidRequest

if TYPE_CHECKING:
    from users.models import User


class LessonForm(forms.ModelForm):
    """A lesson with its video by the host's id. `actor` is whoever fills the form in; set on the class."""

    actor: "User"
    video_service_id = forms.CharField(
        label="Video id",
        required=False,
        max_length=255,
        show_hidden_initial=True,  # an upload from this page gives the lesson a video that the field knows nothing of
        widget=UnfoldAdminTextInputWidget,
        help_text="The id of the video in the host's dashboard, after the host's name where that is not the usual one "
        "(cloudflare:…). Its status is fetched after saving; empty: no video.",
    )

    class Meta:
        model = Lesson
        fields = ["part", "title", "slug", "description", "position", "is_free_preview", "is_exam"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk and "video_service_id" in self.fields:
            self.fields["video_service_id"].initial = current_host_id(self.instance)

    def clean_video_service_id(self) -> str:
        """Try the id and take it back: whatever the service refuses is said beside the field."""
        wanted: str = self.cleaned_data["video_service_id"].strip()
        if wanted and wanted != current_host_id(self.instance):
            try:
                with transaction.atomic():
                    attach_host_id(host_id=wanted, title=self.instance.title, owner=self.actor)
                    transaction.set_rollback(True)
            except InvalidRequest as error:
                raise forms.ValidationError(error.detail, code=error.code) from error
        return wanted
