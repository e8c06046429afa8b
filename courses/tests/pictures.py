from io import BytesIO

from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image


def picture(name: str = "photo.png", *, kind: str = "PNG", size: tuple[int, int] = (8, 8)) -> SimpleUploadedFile:
    content = BytesIO()
    Image.new("RGB", size, "teal").save(content, kind)
    return SimpleUploadedFile(name, content.getvalue(), content_type="application/octet-stream")
