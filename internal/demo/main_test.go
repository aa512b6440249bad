package main

import (
	"context"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"gitlab.com/artifetch/artifetch/internal/need"
	"gitlab.com/artifetch/artifetch/internal/program"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"artifetch": program.Main})
}

// What the demo prints can be pasted for as long as it stays, and it leaves nothing.
func TestDemo(t *testing.T) {
	need.Tools(t, "sh", "find")
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	program := need.Tools(t, "artifetch")
	built := func(_ context.Context, _ io.Writer, path string) error { return os.Symlink(program, path) }
	stay, leave := io.Pipe()
	shown, out := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		err := run(t.Context(), out, stay, built)
		_ = out.Close()
		ended <- err
	}()
	text := read(t, shown, "press Enter. ")
	var script strings.Builder
	for _, line := range regexp.MustCompile(`(?m)^\$ (.*)$`).FindAllStringSubmatch(text, -1) {
		script.WriteString(line[1] + "\n")
	}
	if strings.Count(script.String(), "\n") != 5 {
		t.Errorf("the commands are:\n%s", script.String())
	}
	pasted, err := exec.CommandContext(t.Context(), "sh", "-eu", "-c", script.String()).CombinedOutput()
	if err != nil || !strings.Contains(string(pasted), "/workspace/vendor/lib/") {
		t.Errorf("%v: %s", err, pasted)
	}
	_ = leave.Close()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if left, err := os.ReadDir(temp); err != nil || len(left) > 0 {
		t.Errorf("left: %v, %v", left, err)
	}
}

// read reads up to a text.
func read(t *testing.T, from io.Reader, end string) string {
	t.Helper()
	var b strings.Builder
	for part := make([]byte, 4096); !strings.HasSuffix(b.String(), end); {
		n, err := from.Read(part)
		if err != nil {
			t.Fatalf("%v after %s", err, b.String())
		}
		b.Write(part[:n])
	}
	return b.String()
}
