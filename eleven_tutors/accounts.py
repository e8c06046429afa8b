"""What an account's end means for the other apps."""

from users.models import User
from videos.services.sessions import revoke


def end_viewings(user: User) -> int:
    """End every playback session of `user`; gives how many."""
    return revoke(user_id=user.pk, video_ids=None, reason="account_closed")
