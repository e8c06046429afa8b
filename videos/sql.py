"""The reads of a grant and a heartbeat, written out: PostgreSQL and SQLite take them as they are.

Django needs up to 1.3 ms of CPU to write one of these from a queryset, several times what it takes to run it; the
gain stands beside each (CPU ms in process, on PostgreSQL). Columns left out are fetched when somebody asks for them.
"""

# 1.3 → 0.2
VIDEO_TO_PLAY = """
SELECT v.id, v.title, v.owner_id, v.access_level, v.required_tier, v.protection, v.created_at, v.updated_at,
       v.caption_tracks, a.id AS asset_id, a.provider AS asset_provider, a.host_id AS asset_host_id,
       a.status AS asset_status, a.protection AS asset_protection, a.duration_s AS asset_duration_s,
       a.poster_url AS asset_poster_url
  FROM videos_video v LEFT JOIN videos_asset a ON a.video_id = v.id AND a.is_current
 WHERE v.id = %s
"""

PLAYED_COLUMNS = ("id", "provider", "host_id", "status", "protection", "duration_s", "poster_url")
"""The columns that VIDEO_TO_PLAY names `asset_…`, in the order of the model's fields."""

# 1.2 → 0.2; {key} is user_id or device_key, {lock} what the database takes for a row lock of videos_viewer.
LOCKED_VIEWER = """
SELECT videos_viewer.id, videos_viewer.user_id, videos_viewer.device_key,
       p.position_s AS resume_position_s, p.duration_ms AS resume_duration_ms
  FROM videos_viewer LEFT JOIN videos_videoprogress p ON p.viewer_id = videos_viewer.id AND p.video_id = %s
 WHERE videos_viewer.{key} = %s {lock}
"""

# 0.9 → 0.2
LIVE_SESSIONS = """
SELECT id, public_id, viewer_id, video_id, device_id, user_agent, created_at, expires_at, lease_expires_at
  FROM videos_playbacksession
 WHERE viewer_id = %s AND state IN ('issuing', 'issued')
 ORDER BY id
"""

# 0.9 → 0.3; {lock} is what the database takes for a row lock of s. The progress is the viewer's, of all sessions.
SESSION_TO_BEAT = """
SELECT s.id, s.public_id, s.viewer_id, s.video_id, s.asset_id, s.progress_id, s.device_id, s.state, s.is_counted,
       s.max_streams, s.created_at, s.ended_at, s.lease_expires_at, s.played_at, s.last_seq, s.position_s, s.played,
       s.seen_seqs, s.watched_ms, s.covered_ms, s.startup_ms, s.stall_count, s.stall_ms, s.bitrate_kbps, s.error_count,
       a.duration_s AS asset_duration_s, a.is_current AS asset_is_current, p.id AS known_id, p.played AS known_played,
       p.covered_ms AS known_covered_ms, p.duration_ms AS known_duration_ms, p.position_s AS known_position_s,
       p.is_counted AS known_is_counted, p.version AS known_version,
       p.completed_at IS NOT NULL AS known_is_completed
  FROM videos_playbacksession s
  LEFT JOIN videos_asset a ON a.id = s.asset_id
  LEFT JOIN videos_videoprogress p ON p.viewer_id = s.viewer_id AND p.video_id = s.video_id
 WHERE s.public_id = %s {lock}
"""

# 0.8 → 0.1
SESSION_TO_USE = """
SELECT id, public_id, viewer_id, video_id, asset_id, device_id, state, is_counted, max_streams, created_at,
       lease_expires_at
  FROM videos_playbacksession
 WHERE public_id = %s
"""

# 0.9 → 0.1
BEATEN_SESSION = """
UPDATE videos_playbacksession
   SET progress_id = %s, last_seq = %s, lease_expires_at = %s, played_at = %s, position_s = %s, played = %s,
       seen_seqs = %s, watched_ms = %s, covered_ms = %s, startup_ms = %s, stall_count = %s, stall_ms = %s,
       bitrate_kbps = %s, error_count = %s, rollup_due_at = COALESCE(rollup_due_at, %s)
 WHERE id = %s
"""

# 0.6 → 0.1; changes nothing when another session of the viewer was there first. The time is indexed, so it moves by the
# minute: five of six heartbeats then leave every index alone (PostgreSQL's heap-only updates).
ADVANCED_PROGRESS = """
UPDATE videos_videoprogress
   SET played = %s, covered_ms = %s, duration_ms = %s, position_s = %s, is_counted = %s,
       last_played_at = CASE WHEN last_played_at < %s THEN %s ELSE last_played_at END,
       completed_at = COALESCE(completed_at, %s), version = version + 1
 WHERE id = %s AND version = %s
"""

# Gives no row when another session of the viewer made it first.
NEW_PROGRESS = """
INSERT INTO videos_videoprogress
       (viewer_id, video_id, played, covered_ms, duration_ms, position_s, is_counted, first_played_at, last_played_at,
        completed_at, version, is_viewer_tallied, is_completion_tallied)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, 0, %s, %s)
ON CONFLICT (viewer_id, video_id) DO NOTHING
RETURNING id
"""
