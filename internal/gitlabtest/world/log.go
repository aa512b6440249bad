package world

// Log returns the whole log. A job that never ran or was erased has none.
func (j *Job) Log() string {
	switch {
	case j.Erased || !j.Ran() && j.Trace == "":
		return ""
	case j.Trace != "":
		return j.Trace
	case j.State() == "success":
		return "Running with gitlab-runner 19.4.0\nJob succeeded\n"
	case j.State() == "failed":
		return "Running with gitlab-runner 19.4.0\nERROR: Job failed: exit code 1\n"
	}
	return "Running with gitlab-runner 19.4.0\n"
}

// ReadLog returns what a request for the log sees.
func (j *Job) ReadLog() string {
	log := j.Log()
	if j.TraceStep <= 0 || j.Finished() {
		return log
	}
	j.traceSeen = min(j.traceSeen+j.TraceStep, len(log))
	return log[:j.traceSeen]
}
