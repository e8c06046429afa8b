"""An access policy whose rights are rows: a user who has the permission `watch` of a video's owner's group."""

from collections.abc import Callable

from django.contrib.auth.models import Group
from django.db.models import Q

from videos.access import Decision

after_decision: Callable[[], object] | None = None


def give(user, video):
    user.groups.add(Group.objects.get_or_create(name=str(video.pk))[0])


def take(user, video):
    user.groups.through.objects.filter(user_id=user.pk, group__name=str(video.pk)).delete()


def decide(user, video) -> Decision:
    is_allowed = user.groups.filter(name=str(video.pk)).exists()
    if after_decision is not None:
        after_decision()
    return Decision(allowed=is_allowed, code="not_entitled")


def nobody(user) -> bool:
    """A creation policy that lets nobody create."""
    return False


def owned(user) -> Q:
    """The videos that `owns` lets a user manage."""
    return Q(owner=user.pk)


def owns(user, video) -> bool:
    """A management policy without exceptions for anybody."""
    return video.owner_id == user.pk


def is_called_boss(user) -> bool:
    """A staff policy of its own."""
    return user.username == "boss"
