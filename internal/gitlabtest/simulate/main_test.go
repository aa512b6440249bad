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
		out  string // a piece; empty means an error
	}{
		{"-mode redirect -version 18.5 -shift-rows 1 -max-offset 100 -no-keyset", "CI_JOB_TOKEN=glcbt-"},
		{`-fault {"kind":"502"} -relative-root /gitlab`, "/gitlab/api/v4"},
		{"-world " + world, "export CI_SERVER_URL=http://"},
		{"-world " + world + ".none", ""},
		{"-fault 502", ""},
		{"-nonsense", ""},
	} {
		ctx, stop := context.WithCancel(t.Context())
		stop() // it ends once it has begun
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
