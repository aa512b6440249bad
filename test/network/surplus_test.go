package network

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// net/http prints bytes that a server sends after an answer with Go's own logger. They
// may contain the token, and they aren't our messages.
func TestSurplusBytesAreNotPrinted(t *testing.T) {
	t.Parallel()
	const token = "glpat-secretSecret0123456"
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go answerTooMuch(conn, strings.Repeat("x", 500), token)
		}
	}()
	for _, args := range []string{"fetch --job-id 1 -o out", "doctor", "fetch --job-id 1 --log-format json -q -o out"} {
		cmd := exec.CommandContext(t.Context(), "artifetch", append(strings.Fields(args), "-R", "1", "--retries", "0", "--server-url", "http://"+listener.Addr().String())...)
		cmd.Dir, cmd.Env = t.TempDir(), append(os.Environ(), "GITLAB_TOKEN="+token, "CI=", "GITLAB_CI=")
		said, _ := cmd.CombinedOutput() // it fails: no answer is GitLab's
		if text := string(said); text == "" || strings.Contains(text, token) || strings.Contains(text, "Unsolicited") {
			t.Errorf("%s: %s", args, text)
		}
	}
}

// answerTooMuch answers each request, and sends more than it announced.
func answerTooMuch(conn net.Conn, body, more string) {
	defer func() { _ = conn.Close() }()
	for r := bufio.NewReader(conn); ; {
		if _, err := http.ReadRequest(r); err != nil {
			return
		}
		if _, err := io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n"+body+more); err != nil {
			return
		}
	}
}
