"""The reads of a grant, a playlist and a licence, written out: PostgreSQL and SQLite take them as they are.

The gain stands beside each (CPU ms in process, on PostgreSQL; see `videos.sql`). One statement tells what the bearer of
a licence asks for and what was given lately; by querysets it would be five.
"""

# 1.1 → 0.2; a copy without a package gives a row all the same. It is a grant's seventh statement, 0.4 ms of its 5:
# joined to the read of the video it would save 0.1 ms, and `videos` would have to know of us.
PLAYED_PACKAGE = """
SELECT p.id, p.public_id, p.key_id, p.scheme, p.pictures, p.duration_s, k.kid AS key_kid,
       h.id AS copy_pk,
       (SELECT a.video_id FROM videos_asset a WHERE a.provider = h.alias AND a.host_id = %(host_id)s) AS played_video_id
  FROM videos_hosted_hostedvideo h
  LEFT JOIN videos_hosted_package p ON p.id = h.package_id
  LEFT JOIN videos_hosted_contentkey k ON k.id = p.key_id
 WHERE h.alias = %(alias)s AND h.public_id = %(copy)s AND h.deleted_at IS NULL
"""

# 1.0 → 0.2; packages whose files are in the store: a retired one is still played by those who began before.
PLAYLIST = """
SELECT m.id, m.package_id, m.name, m.body, p.key_id AS key_pk, p.scheme, p.duration_s, k.kid AS key_kid
  FROM videos_hosted_manifest m
  JOIN videos_hosted_package p ON p.id = m.package_id
  LEFT JOIN videos_hosted_contentkey k ON k.id = p.key_id
 WHERE p.public_id = %(package)s AND p.state IN ('published', 'retired') AND m.name = %(name)s
"""

_COLUMNS = """
SELECT k.id, k.kid, k.video_id, k.version, k.state, k.wrapped, k.wrapped_by, k.iv,
       h.alias AS host_alias, h.public_id AS host_public_id, h.deleted_at IS NOT NULL AS is_deleted,
       s.id AS session_pk, s.device_id AS session_device, s.video_id AS session_video, w.user_id AS session_user,
       EXISTS (SELECT 1 FROM videos_hosted_spenttoken t WHERE t.token_id = %(token)s) AS is_spent,
       (SELECT count(*) FROM (SELECT 1 FROM videos_hosted_licence l WHERE l.user_id = w.user_id
               AND l.created_at > %(since)s AND l.result = 'issued' LIMIT %(counted)s) u) AS given_to_user,
       (SELECT count(*) FROM videos_hosted_licence l WHERE l.session_id = s.id
               AND l.created_at > %(since)s AND l.result = 'issued') AS given_in_session,
       (SELECT count(*) FROM (SELECT 1 FROM videos_hosted_licence l WHERE l.video_id = s.video_id
               AND l.created_at > %(since)s AND l.result = 'issued' LIMIT %(counted)s) u) AS given_of_video,
       (SELECT count(*) FROM (SELECT 1 FROM videos_hosted_licence l WHERE l.ip = %(ip)s
               AND l.created_at > %(since)s AND l.result = 'issued' LIMIT %(counted)s) u) AS given_to_ip,
"""

_OF_FIRST = """
       p.scheme AS scheme, '' AS former_device
  FROM videos_hosted_contentkey k
  JOIN videos_hosted_hostedvideo h ON h.id = k.video_id
  JOIN videos_hosted_package p ON p.key_id = k.id
  JOIN videos_playbacksession s ON s.public_id = %(session)s
  JOIN videos_viewer w ON w.id = s.viewer_id
 WHERE k.kid = %(kid)s AND p.public_id = %(package)s AND p.state IN ('published', 'retired')
"""

_OF_RENEWAL = """
       '' AS scheme, f.device AS former_device
  FROM videos_playbacksession s
  JOIN videos_viewer w ON w.id = s.viewer_id
  JOIN videos_hosted_licence f ON f.id = (
       SELECT max(l.id) FROM videos_hosted_licence l
        WHERE l.session_id = s.id AND l.system = %(system)s AND l.result = 'issued')
  JOIN videos_hosted_contentkey k ON k.id = f.key_id
  JOIN videos_hosted_hostedvideo h ON h.id = k.video_id
 WHERE s.public_id = %(session)s
"""

KEY_OF_FIRST = "".join((_COLUMNS, _OF_FIRST))
KEY_OF_RENEWAL = "".join((_COLUMNS, _OF_RENEWAL))
