//go:build realstores

package realstores

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gitlab.com/artifetch/artifetch/test/internal/harness"
)

// An address of Apache ends at the time that it names, in UTC. There is no signature.
const apacheConf = `
ServerRoot DIR
ServerName localhost
Listen ADDRESS
PidFile DIR/pid
ErrorLog DIR/error.log
User www-data
Group www-data
LoadModule mpm_event_module /usr/lib/apache2/modules/mod_mpm_event.so
LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so
LoadModule filter_module /usr/lib/apache2/modules/mod_filter.so
LoadModule deflate_module /usr/lib/apache2/modules/mod_deflate.so
SetOutputFilter DEFLATE
DocumentRoot DIR
<If "%{QUERY_STRING} =~ /^until=(\d+)&/ && $1 -lt %{TIME}">
Require all denied
</If>
`

// openApache starts Apache, which compresses for clients that ask for it.
func openApache(t *testing.T) *store {
	t.Helper()
	return apache(t, time.Now().Add(-anHour))
}

// openFresh starts Apache with files that have just been written: the ETags of those are
// weak for a second. Here, it lasts for longer.
func openFresh(t *testing.T) *store {
	t.Helper()
	s := apache(t, time.Now().Add(anHour))
	s.weak = true
	return s
}

// apache starts Apache. A time is that of the first archive; each later one is newer.
func apache(t *testing.T, at time.Time) *store {
	t.Helper()
	dir := publicDir(t)
	s := new(store)
	s.serve(t, func(address string) *harness.Daemon {
		file := filepath.Join(dir, "apache.conf")
		write(t, file, strings.NewReplacer("DIR", dir, "ADDRESS", address).Replace(apacheConf))
		return harness.Begin(t, tool(t, "apache2"), "-f", file, "-DFOREGROUND")
	})
	s.sign = func(method, host string, until time.Time) string {
		return timed(method, host, until.UTC().Format("20060102150405"))
	}
	s.put = func(t *testing.T, archive []byte) {
		t.Helper()
		path := filepath.Join(dir, "artifacts.zip")
		write(t, path+".new", string(archive))
		at = at.Add(time.Minute)
		if err := errors.Join(os.Chtimes(path+".new", at, at), os.Rename(path+".new", path)); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// timed returns an address with an end, in the form that the store compares.
func timed(method, host, until string) string {
	return fmt.Sprintf("http://%s/artifacts.zip?until=%s&sig=%x", host, until, sum([]byte("key"), method+until))
}

// write writes a file that all users may read.
func write(t *testing.T, path, content string) {
	t.Helper()
	if err := errors.Join(os.WriteFile(path, []byte(content), 0o600), os.Chmod(path, 0o644)); err != nil {
		t.Fatal(err)
	}
}

// publicDir is a directory that servers can read that run as other users.
func publicDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "realstores")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) }) // nothing depends on it
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}
