"""What the access rule reads for every start of a video, written out: PostgreSQL and SQLite take it as it is.

Django needs 1.7 ms of CPU to write this statement from a queryset, several times what it takes to run it.
"""

# A lesson is tied to the video that it shows, and to one that names it, or its course, as the subject. Keys of subjects
# are texts: only whole numbers are read as such.
TIES_OF_VIDEO = """
WITH named AS (
  SELECT t.model, CASE WHEN v.subject_id <> '' AND LENGTH(v.subject_id) < 19 AND TRIM(v.subject_id, '0123456789') = ''
                       THEN CAST(v.subject_id AS BIGINT) END AS id
    FROM videos_video v JOIN django_content_type t ON t.id = v.subject_type_id AND t.app_label = 'courses'
   WHERE v.id = %s
), tied AS (
  SELECT p.course_id, l.is_free_preview
    FROM courses_lesson l JOIN courses_part p ON p.id = l.part_id WHERE l.video_id = %s
   UNION
  SELECT p.course_id, l.is_free_preview
    FROM named n JOIN courses_lesson l ON l.id = n.id JOIN courses_part p ON p.id = l.part_id WHERE n.model = 'lesson'
   UNION
  SELECT n.id, FALSE FROM named n WHERE n.model = 'course' AND n.id IS NOT NULL
)
SELECT tied.is_free_preview, c.is_published, c.included_in_tier,
       EXISTS (SELECT 1 FROM courses_enrollment e WHERE e.course_id = c.id AND e.user_id = %s AND e.is_active),
       EXISTS (SELECT 1 FROM courses_enrollment e WHERE e.course_id = c.id AND e.user_id = %s AND NOT e.is_active),
       EXISTS (SELECT 1 FROM courses_course_instructors i WHERE i.course_id = c.id AND i.user_id = %s)
  FROM tied JOIN courses_course c ON c.id = tied.course_id
"""
