"""What tests of uploads share. They end where the work of encoders begins."""

from videos.hosted.hosts import host
from videos.hosted.seams.encoder import EncodeInterrupted, StepOrder
from videos.hosted.services.uploading.uploads import open_upload
from videos.hosted.tests.conftest import hosted_entry
from videos.providers.types import UploadRequest

FILM = bytes(range(256)) * 40
LENGTH = len(FILM)


def idle_entry(folder, **options):
    """An entry of VIDEO_PROVIDERS: our host in this folder, with an encoder that does nothing."""
    return hosted_entry(folder, encoder={"BACKEND": f"{__name__}.IdleEncoder"}, **options)


def idle_host(settings, folder):
    """Our host in this folder, where nothing is made of what was uploaded; gives its parts."""
    settings.VIDEO_PROVIDERS = {"hosted": idle_entry(folder)}
    settings.VIDEO_ROUTES = [{"use": ["hosted"]}]
    settings.VIDEO_ENQUEUE = f"{__name__}.enqueue"
    return host("hosted")


def enqueue(task_name, *args):
    """Background work of these tests is not done."""


def make_upload(*, length=LENGTH, **values):
    """An open upload at the host `hosted`; `values` are set on its row."""
    request = UploadRequest(title="A film", filename="film.mp4", size_bytes=length, content_type="video/mp4")
    upload = open_upload(alias="hosted", request=request)
    for name, value in values.items():
        setattr(upload, name, value)
    upload.save()
    return upload


def on_disk(parts, upload) -> bytes:
    return parts.get_store().path_of(upload.key).read_bytes()


def beside(parts, upload) -> list[str]:
    """What lies in the folder of this upload."""
    folder = parts.get_store().path_of(upload.key).parent
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


class IdleEncoder:
    """Its one step is never done."""

    def schemes(self):
        return ("cbcs",)

    def first_steps(self, *, preset):
        return [StepOrder(kind="idle")]

    def next_steps(self, done, *, preset):
        return []

    def repackage_steps(self):
        return [StepOrder(kind="idle")]

    def packages(self, kind):
        return False

    def run(self, work):
        raise EncodeInterrupted("Nothing is done here.")

    def problems(self):
        return []
