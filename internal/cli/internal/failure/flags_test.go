package failure

import "testing"

// A hint omits flags that the command doesn't have, and the words that depend on them.
func TestHintsFit(t *testing.T) {
	t.Parallel()
	ls := Flags{Names: []string{"job-id", "recent", "pipeline", "wait"}}
	sync := Flags{Names: []string{"update"}, Manifest: true}
	for _, tt := range []struct {
		has        Flags
		hint, want string
	}{
		{ls, "no flag", "no flag"},
		{ls, "", ""},
		{ls, "look again; --recent looks further back", "look again; --recent looks further back"},
		{ls, "raise --max-bytes", ""},
		{ls, "nothing was changed; choose another --output, or other files", "nothing was changed"},
		{ls, "set GITLAB_TOKEN, or name the project with --project", "set GITLAB_TOKEN"},
		{ls, "run artifetch fetch --output out, or use --exclude (-x)", "run artifetch fetch --output out"},
		{ls, "use --job-id=5; --job", "use --job-id=5"},
		{ls, "pass it on, in a Dockerfile by --build-arg X, or use --server-url", "pass it on, in a Dockerfile by --build-arg X"},
		{sync, "use --wait DURATION to wait for it; https://g/1", "https://g/1"},
		{sync, "wait; --pipeline latest takes it, whatever its status", `wait; "pipeline: latest" takes it, whatever its status`},
		{sync, "--pipeline 9 takes it from there", `"pipeline: 9" takes it from there`},
		{sync, "leave it out with --exclude (-x), or use another system", `leave it out with "exclude", or use another system`},
		{sync, "--update takes it", "--update takes it"},
		{sync, "raise --max-bytes", ""},
	} {
		if got := tt.has.fit(tt.hint); got != tt.want {
			t.Errorf("%q: %q, want %q", tt.hint, got, tt.want)
		}
	}
}
