from videos.hosted.models.key import ContentKey, KeyState
from videos.hosted.models.licence import Licence, LicenceKind, SpentToken
from videos.hosted.models.package import Manifest, Package, PackageState, Scheme
from videos.hosted.models.transcode import FAILED_BY_ITSELF, Step, StepState, Transcode, TranscodeKind, TranscodeState
from videos.hosted.models.upload import Upload, UploadKind, UploadState
from videos.hosted.models.video import HostedVideo, Preset

__all__ = [
    "FAILED_BY_ITSELF",
    "ContentKey",
    "HostedVideo",
    "KeyState",
    "Licence",
    "LicenceKind",
    "Manifest",
    "Package",
    "PackageState",
    "Preset",
    "Scheme",
    "SpentToken",
    "Step",
    "StepState",
    "Transcode",
    "TranscodeKind",
    "TranscodeState",
    "Upload",
    "UploadKind",
    "UploadState",
]
