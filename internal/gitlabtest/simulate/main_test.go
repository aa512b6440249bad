package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestRun(t *testing.T) {
	t.Parallel()
	world := filepath.Join(t.TempDir(), "world.json")
	if err := os.WriteFile(world, []byte(`{"projects": [{"id": 1, "path": "g/p"}]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		args string
		out  string // a part of it; empty means an error
	}{
		{"-mode redirect -version 18.5 -shift-rows 1 -max-offset 100 -no-keyset", "CI_JOB_TOKEN=glcbt-"},
		{`-fault {"kind":"502"} -relative-root /gitlab`, "/gitlab/api/v4"},
		{"-world " + world, "export CI_SERVER_URL=http://"},
		{"-world " + world + ".none", ""},
		{"-job 5701", "export CI_MERGE_REQUEST_EVENT_TYPE='merge_train'"},
		{"-job 5201 -since upstream_variables=never", ""}, // no feature has that name
		{"-job 1101 -version 18.8 -relative-root /gitlab", "export CI_SERVER_VERSION_MINOR='8'"},
		{"-since file_type=19.0 -since job_inputs=never -limits -storage-down black-hole", "CI_JOB_TOKEN=glcbt-"},
		{"-mode redirect -download-mode direct -download-mode proxy -storage-down refused", "CI_JOB_TOKEN=glcbt-"},
		{"-job 9999", ""},
		{"-since file_type", ""},
		{"-since file_type=soon", ""},
		{"-download-mode sideways", ""},
		{"-mode redirect -download-mode proxy", ""}, // Mode's own is missing
		{"-fault 502", ""},
		{"-nonsense", ""},
	} {
		ctx, stop := context.WithCancel(t.Context())
		stop() // it ends as soon as it has started
		var out bytes.Buffer
		err := run(ctx, strings.Fields(tt.args), &out)
		if (err == nil) != (tt.out != "") || !strings.Contains(out.String(), tt.out) {
			t.Errorf("%s: %v, %s", tt.args, err, out.String())
		}
		if strings.Contains(tt.args, "-world") && strings.Contains(out.String(), "TOKEN") {
			t.Errorf("%s: a token of another world: %s", tt.args, out.String())
		}
	}
}
