package transport

import (
	"errors"
	"net"
	"os"
	"regexp"
	"strings"

	"gitlab.com/artifetch/artifetch/internal/redact"
)

// Words returns the text of an error, without credentials, and with people's words for
// what Go says about requests and connections.
func Words(err error) string {
	said := redact.Error(err).Error()
	if e, ok := errors.AsType[*net.OpError](err); ok {
		said = strings.Replace(said, e.Error(), connection(e), 1)
	}
	return request.ReplaceAllStringFunc(said, func(s string) string {
		m := request.FindStringSubmatch(s)
		if !strings.HasPrefix(m[2], "http") {
			return "" // it wasn't made
		}
		address, _, _ := strings.Cut(m[2], "?") // -v shows it in full
		return strings.ToUpper(m[1]) + " " + address + ": "
	})
}

// request matches the start of a [url.Error].
var request = regexp.MustCompile(`\b(Get|Head|Post|Put|Delete) "([a-z]+:[^" ]*)": `)

// connection explains a connection's error. Go's text names both ends and the system
// call.
func connection(e *net.OpError) string {
	why := e.Err
	if system, ok := errors.AsType[*os.SyscallError](why); ok {
		why = system.Err
	}
	name, known := errors.AsType[*net.DNSError](e.Err)
	switch {
	case known:
		return "cannot look up " + name.Name + ": " + name.Err
	case e.Op == "dial" && e.Addr != nil:
		return "cannot connect to " + e.Addr.String() + ": " + why.Error()
	}
	return why.Error()
}
