"""Load measurements: wrk against granian and PostgreSQL, each path beside a calibration view of the same run."""
