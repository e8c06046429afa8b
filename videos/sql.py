"""The reads of a grant and a heartbeat, written out: PostgreSQL and SQLite take them as they are.

Django needs up to 1.3 ms of CPU to write one of these from a queryset, several times what it takes to run it; the
gain stands beside each (CPU ms in process, on PostgreSQL). Columns left out are fetched when somebody asks for them.
"""

# 1.3 → 0.2
VIDEO_TO_PLAY = """
SELECT v.id, v.title, v.owner_id, v.access_level, v.required_tier, v.protection, v.created_at, v.updated_at,
       a.id AS asset_id, a.provider AS asset_provider, a.host_id AS asset_host_id, a.status AS asset_status,
       a.protection AS asset_protection, a.duration_s AS asset_duration_s, a.poster_url AS asset_poster_url
  FROM videos_video v LEFT JOIN videos_asset a ON a.video_id = v.id AND a.is_current
 WHERE v.id = %s
"""

PLAYED_COLUMNS = ("id", "provider", "host_id", "status", "protection", "duration_s", "poster_url")
"""The columns that VIDEO_TO_PLAY names `asset_…`, in the order of the model's fields."""

# 1.2 → 0.2; {key} is user_id or device_key, {lock} what the database takes for a row lock.
LOCKED_VIEWER = """
SELECT id, user_id, device_key,
       (SELECT s.position_s FROM videos_playbacksession s WHERE s.viewer_id = videos_viewer.id AND s.video_id = %s
         ORDER BY s.id DESC LIMIT 1) AS resume_position_s
  FROM videos_viewer
 WHERE {key} = %s {lock}
"""

# 0.9 → 0.2
LIVE_SESSIONS = """
SELECT id, public_id, viewer_id, video_id, device_id, user_agent, created_at, expires_at, lease_expires_at
  FROM videos_playbacksession
 WHERE viewer_id = %s AND state IN ('issuing', 'issued')
 ORDER BY id
"""

# 0.6 → 0.2
SESSION_TO_BEAT = """
SELECT id, public_id, viewer_id, video_id, device_id, state, is_counted, max_streams, lease_expires_at, played_at,
       last_seq, position_s
  FROM videos_playbacksession
 WHERE public_id = %s
"""
