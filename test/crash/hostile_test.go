package crash

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"gitlab.com/artifetch/artifetch/internal/gitlabtest"
	"gitlab.com/artifetch/artifetch/test/internal/harness"
)

// member is an entry as only a malicious writer creates it.
type member struct {
	name, content string
	mode          uint32 // st_mode; zero means a regular file with 0644
	method, flags uint16
	size          uint32                      // the claimed size; zero means the content's
	change        func(local, central []byte) // changes its headers
}

const (
	linkMode   = 0o120777
	deviceMode = 0o020644
	pipeMode   = 0o010644
	socketMode = 0o140644
	dirMode    = 0o040755
)

// zipOf writes members as they are.
func zipOf(members ...member) []byte {
	le := binary.LittleEndian
	var data, directory []byte
	for _, m := range members {
		if m.mode == 0 {
			m.mode = 0o100644
		}
		if m.size == 0 {
			m.size = uint32(len(m.content))
		}
		common := le.AppendUint16(le.AppendUint16(le.AppendUint16(nil, 20), m.flags), m.method)
		common = append(common, 0, 0, 0x21, 0x5c) // a day in 2026
		common = le.AppendUint32(common, crc32.ChecksumIEEE([]byte(m.content)))
		common = le.AppendUint32(le.AppendUint32(common, uint32(len(m.content))), m.size)
		common = le.AppendUint16(le.AppendUint16(common, uint16(len(m.name))), 0)
		local := append(append([]byte("PK\x03\x04"), common...), m.name...)
		central := append(append([]byte("PK\x01\x02\x14\x03"), common...), 0, 0, 0, 0, 0, 0)
		central = le.AppendUint32(le.AppendUint32(central, m.mode<<16), uint32(len(data)))
		central = append(central, m.name...)
		if m.change != nil {
			m.change(local, central)
		}
		data = append(append(data, local...), m.content...)
		directory = append(directory, central...)
	}
	end := le.AppendUint16(le.AppendUint16([]byte("PK\x05\x06\x00\x00\x00\x00"), uint16(len(members))), uint16(len(members)))
	end = le.AppendUint32(le.AppendUint32(end, uint32(len(directory))), uint32(len(data)))
	return append(append(append(data, directory...), end...), 0, 0)
}

// hostile lists the kinds of archives that are rejected as a whole: unsafe (8) or damaged
// (7). Each bad entry is between two harmless files.
func hostile() []hostileCase {
	put := func(at int, v uint32) func(_, central []byte) {
		return func(_, central []byte) { binary.LittleEndian.PutUint32(central[at:], v) }
	}
	return []hostileCase{
		{"parent", 8, `"../evil"`, member{name: "../evil"}},
		{"parent, deep", 8, `"a/../../evil"`, member{name: "a/../../evil"}},
		{"absolute", 8, `"/tmp/evil"`, member{name: "/tmp/evil"}},
		{"drive letter", 8, `"C:\\evil"`, member{name: `C:\evil`}},
		{"UNC", 8, `"\\\\host\\share\\evil"`, member{name: `\\host\share\evil`}},
		{"backslash", 8, `"..\\evil"`, member{name: `..\evil`}},
		{"zero byte", 8, `"a\x00b"`, member{name: "a\x00b"}},
		{"control character", 8, `"a\x1bb"`, member{name: "a\x1bb"}},
		{"8-bit control character", 8, `"a\u009bb"`, member{name: "a\u009bb", flags: 1 << 11}},
		{"override of direction", 8, `"a\u202egpj.exe"`, member{name: "a\u202egpj.exe", flags: 1 << 11}},
		{"part of a name too long", 8, "longer than 255 bytes", member{name: strings.Repeat("n", 300)}},
		{"name too long", 8, "longer than 4096 bytes", member{name: strings.Repeat("d/", 2100) + "f"}},
		{"too deep", 8, "more than 200 directories", member{name: strings.Repeat("d/", 250) + "f"}},
		{"no name", 8, "no name", member{name: ""}},
		{"duplicate", 8, `"first.txt"`, member{name: "first.txt"}},
		{"duplicate in disguise", 8, `".//first.txt"`, member{name: ".//first.txt"}},
		{"directory over a file", 8, `"first.txt/"`, member{name: "first.txt/", mode: dirMode}},
		{"file below a file", 8, `"first.txt/x"`, member{name: "first.txt/x"}},
		{"link to an absolute path", 8, `"link"`, member{name: "link", content: "/etc", mode: linkMode}},
		{"link out", 8, `"a/link"`, member{name: "a/link", content: "../../x", mode: linkMode}},
		{"link out by a detour", 8, `"link"`, member{name: "link", content: "a/../../x", mode: linkMode}},
		{"link to nothing", 8, `"link"`, member{name: "link", mode: linkMode}},
		{"file below a link", 8, `"last.txt/x"`, member{name: "last.txt/x", content: "x"}},
		{"device", 8, `"dev"`, member{name: "dev", mode: deviceMode}},
		{"pipe", 8, `"pipe"`, member{name: "pipe", mode: pipeMode}},
		{"socket", 8, `"socket"`, member{name: "socket", mode: socketMode}},
		{"Git repository", 8, `".git/hooks/post-checkout"`, member{name: ".git/hooks/post-checkout"}},
		{"encrypted", 8, "it is encrypted", member{name: "secret", content: "x", flags: 1}},
		{"masked headers", 8, "it is encrypted", member{name: "secret", content: "x", flags: 1 << 13}},
		{"Deflate64", 8, "Deflate64", member{name: "odd", content: "x", method: 9}},
		{"unknown method", 8, "method 77", member{name: "odd", content: "x", method: 77}},
		{"overlap", 8, "overlaps", member{name: "again", content: "x", change: put(42, 0)}},
		{"reaches into the directory", 7, `"far"`, member{name: "far", content: "x", change: func(l, c []byte) { put(20, 999)(l, c); put(24, 999)(l, c) }}},
		{"larger than the archive could be", 8, "more than 1000 times its own", member{name: "bomb", content: "x", method: 8, size: 3 << 30}},
		{"a size that lies", 7, `"short"`, member{name: "short", content: "x", size: 9}},
		{"a checksum that lies", 7, `"crc"`, member{name: "crc", content: "x", change: func(l, c []byte) { l[14]++; c[16]++ }}},
		{"a local name that differs", 7, `"aa"`, member{name: "aa", content: "x", change: func(l, _ []byte) { l[30] = 'b' }}},
		{"a local method that differs", 7, `"aa"`, member{name: "aa", content: "x", change: func(l, _ []byte) { l[8] = 8 }}},
		{"a local size that differs", 7, `"aa"`, member{name: "aa", content: "x", change: func(l, _ []byte) { l[22]++ }}},
		{"no local header", 7, `"aa"`, member{name: "aa", content: "x", change: func(l, _ []byte) { l[0] = 'X' }}},
		{"a zip64 size that is not there", 7, `"big"`, member{name: "big", content: "x", change: put(24, 0xffffffff)}},
		{"broken stream", 7, `"broken"`, member{name: "broken", content: "\x07\x00", method: 8, size: 5}},
	}
}

type hostileCase struct {
	name string
	code int
	said string
	bad  member
}

// For each kind, with fetch and extract: the exit code, the entry's name in the message,
// an unchanged workspace, and nothing left outside or behind.
func TestHostile(t *testing.T) {
	t.Parallel()
	for _, tt := range hostile() {
		members := []member{{name: "first.txt", content: "theirs"}, tt.bad, {name: "last.txt", content: "x", mode: linkMode}}
		if tt.name == "file below a link" {
			members[1], members[2] = members[2], members[1]
		}
		if tt.name == "overlap" || strings.HasPrefix(tt.name, "reaches") {
			members = []member{members[0], tt.bad}
		}
		archive := zipOf(members...)
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			refused(t, archive, tt.code, tt.said)
		})
	}
	t.Run("truncated", func(t *testing.T) {
		t.Parallel()
		archive := zipOf(member{name: "a", content: "aaaa"}, member{name: "b", content: "bbbb"})
		for _, n := range []int{1, 21, 22, 40, len(archive) - 30} {
			refused(t, archive[:len(archive)-n], 7, "corrupt archive")
		}
	})
}

func refused(t *testing.T, archive []byte, code int, said string) {
	t.Helper()
	parent := t.TempDir()
	ws := filepath.Join(parent, "ws")
	for path, content := range map[string]string{"ws/first.txt": "mine", "ws/sub/key": "secret", "outside": "theirs", "x": "theirs"} {
		file := filepath.Join(parent, path)
		if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, []byte(content), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("../outside", filepath.Join(ws, "link")); err != nil { // perhaps from an earlier job
		t.Fatal(err)
	}
	before := harness.Tree(t, parent)
	world := gitlabtest.Fixture()
	world.Projects[0].Pipelines[1].Jobs[0].Archive = archive
	s := gitlabtest.Start(world, gitlabtest.Options{Mode: gitlabtest.ModeRedirect})
	defer s.Close()
	local := exec.CommandContext(t.Context(), "artifetch", "extract", "-", "-o", ws)
	local.Stdin = bytes.NewReader(archive)
	remote := exec.CommandContext(t.Context(), "artifetch", "fetch", "--server-url", s.URL, "-R", "1", "--job-id", "1001", "-o", ws)
	token := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(token, []byte(gitlabtest.PrivateToken), 0o600); err != nil {
		t.Fatal(err)
	}
	remote.Args = append(remote.Args, "--token-file", token)
	for _, cmd := range []*exec.Cmd{remote, local} {
		out, err := cmd.CombinedOutput()
		failed, ok := errors.AsType[*exec.ExitError](err)
		if !ok || failed.ExitCode() != code || !strings.Contains(string(out), said) {
			t.Errorf("%s: %v, want code %d and %s:\n%s", cmd.Args[1], err, code, said, out)
		}
		if diff := cmp.Diff(before, harness.Tree(t, parent)); diff != "" {
			t.Errorf("%s changed something: %s", cmd.Args[1], diff)
		}
	}
}
